"""Examples read one after the other: the way that knows every case and every error."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels.examples.specs import (
    DTYPES,
    TYPE_NAMES,
    VALUE_NAMES,
    Column,
    Wanted,
    bracketed,
)
from workbench.core.kernels.examples.wire import (
    BYTES,
    EMPTY,
    FLOAT,
    NONE,
    Feature,
    WireError,
    count_values,
    read_example,
    read_feature,
)
from workbench.core.kernels.support import invalid

_SHOWN_BYTES = 200


def not_an_example(data: bytes, prefix: str = "") -> InvalidArgumentError:
    """The error of bytes that are no example."""
    shown = repr(data[:_SHOWN_BYTES])[2:-1]
    more = f"... ({len(data)} bytes)" if len(data) > _SHOWN_BYTES else ""
    return invalid(f"{prefix}Could not parse example input, value: '{shown}{more}'")


def read_columns(
    serialized: Sequence[bytes], names: Sequence[bytes] | None, wanted: Sequence[Wanted]
) -> list[Column]:
    """The wanted features of all examples.

    `names` tells the examples apart in errors; with None there is one, which has no name.
    """
    parts: list[list[Any]] = [[] for _ in wanted]
    counts: list[list[int]] = [[] for _ in wanted]
    missing: list[list[int]] = [[] for _ in wanted]
    for number, data in enumerate(serialized):
        try:
            found = read_example(data)
        except WireError:
            where = f"Index: {number}.  " if len(serialized) > 1 else ""
            raise not_an_example(data, where) from None
        for i, each in enumerate(wanted):
            span = found.get(each.key)
            try:
                feature = EMPTY if span is None else read_feature(data, *span)
            except WireError:
                raise invalid(
                    f"{_key(names, number, each)}.  Can't parse serialized Example."
                ) from None
            if feature.kind == NONE:
                counts[i].append(0)
                if each.size is not None:
                    _check_default(names, number, each)
                    missing[i].append(number)
                continue
            counts[i].append(_checked_count(names, number, each, feature))
            parts[i].append(feature.values)
    return [
        Column(
            np.array(counts[i], np.int64),
            joined(each.kind, parts[i]),
            _mask(missing[i], len(serialized)),
        )
        for i, each in enumerate(wanted)
    ]


def read_dense(data: bytes, wanted: Sequence[Wanted]) -> tuple[np.ndarray[Any, Any], ...] | None:
    """The values of features of one example that has them all, as many as wanted; None for other
    examples and features, which `read_columns` knows."""
    try:
        found = read_example(data)
        values = []
        for each in wanted:
            span = found.get(each.key)
            if span is None or each.size is None:
                return None
            feature = read_feature(data, *span)
            if feature.kind != each.kind or count_values(feature) != each.size:
                return None
            values.append(joined(each.kind, [feature.values]).reshape(each.known_shape))
    except WireError:
        return None
    return tuple(values)


def joined(kind: int, parts: Sequence[Any]) -> np.ndarray[Any, Any]:
    """The values of several features of a kind, one after the other."""
    if kind == FLOAT:
        return np.frombuffer(b"".join(parts), "<f4").astype(np.float32)
    values = list(itertools.chain.from_iterable(parts))
    if kind == BYTES:
        result = np.empty(len(values), object)
        result[:] = values
        return result
    return np.array(values, DTYPES[kind])


def _mask(missing: list[int], count: int) -> Any:
    if not missing:
        return None
    mask = np.zeros(count, np.bool_)
    mask[missing] = True
    return mask


def _name(names: Sequence[bytes], number: int) -> str:
    return f"Name: {names[number].decode(errors='replace') if len(names) else '<unknown>'}, "


def _key(names: Sequence[bytes] | None, number: int, wanted: Wanted) -> str:
    key = f"Key: {wanted.key.decode(errors='replace')}"
    return key if names is None else f"{_name(names, number)}{key}, Index: {number}"


def _check_default(names: Sequence[bytes] | None, number: int, wanted: Wanted) -> None:
    if wanted.default is not None:
        return
    start = "" if names is None else _name(names, number)
    index = f" (example {number})" if names is not None and not len(names) else ""
    raise invalid(
        f"{start}Feature: {wanted.key.decode(errors='replace')} (data type: "
        f"{TYPE_NAMES[wanted.kind]}) is required but could not be found.{index}"
    )


def _checked_count(
    names: Sequence[bytes] | None, number: int, wanted: Wanted, feature: Feature
) -> int:
    if feature.kind != wanted.kind:
        own, expected = TYPE_NAMES[feature.kind], TYPE_NAMES[wanted.kind]
        told = (
            f"Expected type: {expected}, Actual type: {own}"
            if wanted.shape is None
            else f"Data type: {own} but expected type: {expected}"
        )
        raise invalid(f"{_key(names, number, wanted)}.  Data types don't match. {told}")
    count = count_values(feature)
    what = VALUE_NAMES[wanted.kind]
    if wanted.size is not None and count != wanted.size:
        raise invalid(
            f"{_key(names, number, wanted)}.  Number of {what} values != expected.  Values size: "
            f"{count} but output shape: {bracketed(wanted.shape)}"
        )
    if wanted.size is None and (count % wanted.stride if wanted.stride else count):
        raise invalid(
            f"{_key(names, number, wanted)}.  Number of {what} values is not a multiple of stride "
            f"length. Saw {count} values but output shape is: {bracketed(wanted.shape)}"
        )
    return count
