"""Caches of datasets in files: records of serialised tensors, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from workbench.core.graph.dtypes import DType
from workbench.core.graph.tensor_proto import make_ndarray, make_tensor_proto
from workbench.core.ops.data.pipeline import Element


def cached(filename: str, source: Iterator[Element], types: Sequence[DType]) -> Iterator[Element]:
    """The elements of the cache, which the first whole pass over `source` writes."""
    if os.path.exists(filename):
        return _read(filename, len(types))
    return _write(filename, source, types)


def _read(filename: str, components: int) -> Iterator[Element]:
    from workbench.core.protos import TensorProto
    from workbench.core.protos.reading import parse_message
    from workbench.core.records import read_records

    parts: list[Any] = []
    for record in read_records(filename):
        array = make_ndarray(parse_message(TensorProto, record, filename))
        parts.append(array[()] if array.ndim == 0 else array)
        if len(parts) == components:
            yield tuple(parts)
            parts = []


def _write(filename: str, source: Iterator[Element], types: Sequence[DType]) -> Iterator[Element]:
    from workbench.core.files import atomic_write
    from workbench.core.records import framed

    records: list[bytes] = []
    for element in source:
        for component, dtype in zip(element, types, strict=True):
            proto = make_tensor_proto(component, dtype=dtype)
            records.append(framed(proto.SerializeToString()))
        yield element
    atomic_write(filename, b"".join(records))
