"""What to read from examples, and what is found for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.examples.wire import BYTES, FLOAT, INT64

#: The kind of feature that holds values of a type.
KINDS: dict[np.dtype[Any], int] = {
    np.dtype(object): BYTES,
    np.dtype(np.float32): FLOAT,
    np.dtype(np.int64): INT64,
}
DTYPES = {kind: dtype for dtype, kind in KINDS.items()}
#: The kinds and types as errors name them.
TYPE_NAMES = {BYTES: "string", FLOAT: "float", INT64: "int64"}
VALUE_NAMES = {BYTES: "bytes", FLOAT: "float", INT64: "int64"}


def bracketed(shape: tuple[int | None, ...] | None) -> str:
    """A shape as TensorFlow's errors of this family write it.

    >>> bracketed((None, 2))
    '[?,2]'
    """
    return "[" + ",".join("?" if entry is None else str(entry) for entry in shape or ()) + "]"


class Wanted(NamedTuple):
    """A feature to read: its key, the kind of its values, and how many they are.

    `size` is their number in each example, or None where it is any multiple of `stride`. With
    `shape` None the values are read as they come, to make a sparse tensor of.
    """

    key: bytes
    kind: int
    shape: tuple[int | None, ...] | None = None
    size: int | None = None
    stride: int = 1
    #: What stands for a feature that is missing; None where it must be there.
    default: NDArray[Any] | None = None

    @property
    def known_shape(self) -> tuple[int, ...]:
        """The shape of the values of one example, if they are always as many."""
        return _known(self.shape or ())


def sparse(key: bytes, dtype: np.dtype[Any]) -> Wanted:
    """A feature with any number of values."""
    return Wanted(key, KINDS[dtype])


def dense(
    key: bytes, dtype: np.dtype[Any], shape: tuple[int | None, ...], default: NDArray[Any]
) -> Wanted:
    """A feature with values of a shape; with None as first entry it is a list of such."""
    kind = KINDS[dtype]
    if shape[:1] == (None,):
        return Wanted(key, kind, shape, None, _product(shape[1:]), default)
    return Wanted(key, kind, shape, _product(shape), 1, default if default.size else None)


def _known(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(entry or 0 for entry in shape)


def _product(shape: tuple[int | None, ...]) -> int:
    return int(np.prod(_known(shape), dtype=np.int64))


class Column(NamedTuple):
    """One feature of a batch of examples."""

    #: The number of values in each example.
    counts: NDArray[np.int64]
    #: The values of all examples, one after the other.
    values: NDArray[Any]
    #: Where the feature is missing, or None where it is missing nowhere.
    missing: NDArray[np.bool_] | None = None


def sparse_parts(column: Column) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Indices, values and shape of the sparse matrix with a row for each example."""
    counts = column.counts
    rows = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    first = np.cumsum(counts) - counts
    indices = np.empty((len(rows), 2), np.int64)
    indices[:, 0] = rows
    indices[:, 1] = np.arange(len(rows), dtype=np.int64) - np.repeat(first, counts)
    longest = int(counts.max()) if len(counts) else 0
    return indices, column.values, np.array([len(counts), longest], np.int64)


def dense_value(wanted: Wanted, column: Column) -> NDArray[Any]:
    """The array of a feature, with a row for each example."""
    assert wanted.shape is not None
    if wanted.size is None:
        return _padded(wanted, column)
    shape = (len(column.counts), *_known(wanted.shape))
    if column.missing is None:
        return column.values.reshape(shape)
    result = np.empty(shape, DTYPES[wanted.kind])
    result[~column.missing] = column.values.reshape(-1, *shape[1:])
    result[column.missing] = wanted.default
    return result


def _padded(wanted: Wanted, column: Column) -> NDArray[Any]:
    """Lists of values made equally long with the default."""
    inner = _known((wanted.shape or ())[1:])
    steps = column.counts // max(wanted.stride, 1)
    longest = int(steps.max()) if len(steps) else 0
    dtype = DTYPES[wanted.kind]
    fill: Any = b"" if wanted.kind == BYTES else 0
    if wanted.default is not None and wanted.default.size:
        fill = wanted.default.reshape(-1)[0]
    result = np.full((len(steps), longest, *inner), fill, dtype)
    result[np.arange(longest) < steps[:, None]] = column.values.reshape(-1, *inner)
    return result
