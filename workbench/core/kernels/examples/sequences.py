"""Sequence examples: a context, and lists of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.examples.single import joined, not_an_example
from workbench.core.kernels.examples.specs import (
    TYPE_NAMES,
    VALUE_NAMES,
    Column,
    Wanted,
    bracketed,
    sparse_parts,
)
from workbench.core.kernels.examples.wire import (
    EMPTY,
    NONE,
    Feature,
    Span,
    WireError,
    count_values,
    describe,
    read_feature,
    read_messages,
    read_sequence_example,
)
from workbench.core.kernels.support import invalid

SparseParts = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


class SequenceExample(NamedTuple):
    """A serialized sequence example, and where its parts are."""

    data: bytes
    #: What errors call it.
    name: str
    context: dict[bytes, Span]
    lists: dict[bytes, Span]


def read(data: bytes, name: bytes) -> SequenceExample:
    """A serialized sequence example; InvalidArgumentError where it is none."""
    try:
        context, lists = read_sequence_example(data)
    except WireError:
        raise not_an_example(data) from None
    return SequenceExample(data, name.decode(errors="replace") or "<unknown>", context, lists)


def context_dense(example: SequenceExample, wanted: Wanted) -> NDArray[Any]:
    """A feature of the context, of a fixed shape."""
    feature = _context_feature(example, wanted)
    if feature.kind == NONE:
        if wanted.default is None:
            raise invalid(
                f"Name: {example.name}, Context feature '{_text(wanted)}' is required but could "
                "not be found."
            )
        return wanted.default
    _check_size(example, wanted, feature, 0)
    return joined(wanted.kind, [feature.values]).reshape(_shape(wanted))


def context_sparse(example: SequenceExample, wanted: Wanted) -> SparseParts:
    """Indices, values and shape of a feature of the context."""
    feature = _context_feature(example, wanted)
    values = joined(wanted.kind, [feature.values] if feature.kind != NONE else [])
    count = len(values)
    return np.arange(count, dtype=np.int64)[:, None], values, np.array([count], np.int64)


def list_dense(example: SequenceExample, wanted: Wanted, may_be_missing: bool) -> NDArray[Any]:
    """A list of features of one shape, stacked."""
    span = example.lists.get(wanted.key)
    if span is None and not may_be_missing:
        raise invalid(
            f"Name: {example.name}, Feature list '{_text(wanted)}' is required but could not be "
            "found.  Did you mean to include it in feature_list_dense_missing_assumed_empty or "
            "feature_list_dense_defaults?"
        )
    features = _list_features(example, wanted, span)
    for number, feature in enumerate(features):
        _check_kind(example, wanted, feature, f"Feature list: {_text(wanted)}, Index: {number}")
        _check_size(example, wanted, feature, number)
    values = joined(wanted.kind, [feature.values for feature in features])
    return values.reshape(len(features), *_shape(wanted))


def list_sparse(example: SequenceExample, wanted: Wanted) -> SparseParts:
    """Indices, values and shape of a list of features, a row for each."""
    features = _list_features(example, wanted, example.lists.get(wanted.key))
    filled = []
    for number, feature in enumerate(features):
        if feature.kind != NONE:
            where = f"Feature list: {_text(wanted)}, Index: {number}"
            _check_kind(example, wanted, feature, where)
            filled.append(feature.values)
    counts = np.array([count_values(feature) for feature in features], np.int64)
    return sparse_parts(Column(counts, joined(wanted.kind, filled)))


def _context_feature(example: SequenceExample, wanted: Wanted) -> Feature:
    span = example.context.get(wanted.key)
    where = f"Context feature: {_text(wanted)}"
    feature = EMPTY if span is None else _read(example, span, where)
    if feature.kind != NONE:
        _check_kind(example, wanted, feature, where)
    return feature


def _list_features(
    example: SequenceExample, wanted: Wanted, span: Span | None
) -> Sequence[Feature]:
    if span is None:
        return ()
    where = f"Feature list: {_text(wanted)}"
    try:
        spans = list(read_messages(example.data, *span, 1))
    except WireError:
        raise _unreadable(example, where) from None
    return [_read(example, each, where) for each in spans]


def _read(example: SequenceExample, span: Span, where: str) -> Feature:
    try:
        return read_feature(example.data, *span)
    except WireError:
        raise _unreadable(example, where) from None


def _unreadable(example: SequenceExample, where: str) -> Exception:
    return invalid(f"Name: {example.name}, {where}.  Can't parse serialized SequenceExample.")


def _check_kind(example: SequenceExample, wanted: Wanted, feature: Feature, where: str) -> None:
    if feature.kind != wanted.kind:
        raise invalid(
            f"Name: {example.name}, {where}.  Data types don't match. Expected type: "
            f"{TYPE_NAMES[wanted.kind]}  Feature is: {describe(feature)}"
        )


def _check_size(example: SequenceExample, wanted: Wanted, feature: Feature, number: int) -> None:
    count = count_values(feature)
    if count != wanted.size:
        raise invalid(
            f"Name: {example.name}, Key: {_text(wanted)}, Index: {number}.  Number of "
            f"{VALUE_NAMES[wanted.kind]} values != expected.  values size: {count} but output "
            f"shape: {bracketed(wanted.shape)}"
        )


def _shape(wanted: Wanted) -> tuple[int, ...]:
    return tuple(entry or 0 for entry in wanted.shape or ())


def _text(wanted: Wanted) -> str:
    return wanted.key.decode(errors="replace")
