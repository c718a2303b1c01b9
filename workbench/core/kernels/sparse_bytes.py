"""Sparse tensors as strings, one by one or row by row, and strings joined to one sparse tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.sparse_positions import bounded
from workbench.core.kernels.support import invalid, spelled
from workbench.core.kernels.tensor_bytes import pack_tensor, unpack_tensor

Array = np.ndarray[Any, Any]
#: Indices, values and dense shape of a sparse tensor.
Parts = tuple[Array, Array, Array]


def checked_parts(indices: Any, values: Any, shape: Any) -> Parts:
    """The parts as arrays; raises where one has another rank than it must have."""
    parts = as_array(indices), as_array(values), as_array(shape)
    for part, (name, what), rank in zip(
        parts, (("indices", "matrix"), ("values", "vector"), ("shape", "vector")), (2, 1, 1),
        strict=True,
    ):  # fmt: skip
        if part.ndim != rank:
            raise invalid(
                f"Input {name} should be a {what} but received shape {spelled(part.shape)}"
            )
    return parts


def serialize_sparse(sparse_indices: Any, sparse_values: Any, sparse_shape: Any) -> Array:
    """A sparse tensor as three strings."""
    result = np.empty(3, object)
    for i, part in enumerate(checked_parts(sparse_indices, sparse_values, sparse_shape)):
        result[i] = pack_tensor(part)
    return result


def rows_of(indices: Any, values: Any, shape: Any) -> Iterator[Parts]:
    """The sparse tensor of each row along the first axis, empty ones too.

    >>> rows = rows_of(np.array([[1, 2]]), np.array([5]), np.array([2, 3]))
    >>> [row[1].tolist() for row in rows]
    [[], [5]]
    """
    indices, values, shape = checked_parts(indices, values, shape)
    if len(shape) < 2:
        raise invalid(f"Rank of input SparseTensor should be > 1, but saw rank: {len(shape)}")
    bounded(indices, tuple(shape.tolist()), "indices")
    first = indices[:, 0]
    if (np.diff(first) < 0).any():
        at = int(np.argmax(np.diff(first) < 0)) + 1
        raise invalid(f"indices[{at}] = {indices[at].tolist()} is out of order")
    limits = np.searchsorted(first, np.arange(int(shape[0]) + 1))
    for start, stop in zip(limits[:-1].tolist(), limits[1:].tolist(), strict=True):
        yield indices[start:stop, 1:], values[start:stop], shape[1:]


def serialize_many_sparse(sparse_indices: Any, sparse_values: Any, sparse_shape: Any) -> Array:
    """Each row of a sparse tensor as three strings."""
    rows = list(rows_of(sparse_indices, sparse_values, sparse_shape))
    result = np.empty((len(rows), 3), object)
    shape = pack_tensor(as_array(sparse_shape)[1:])
    for i, (indices, values, _) in enumerate(rows):
        result[i] = pack_tensor(indices), pack_tensor(values), shape
    return result


def join_rows(
    rows: Sequence[Parts], dtype: np.dtype[Any], what: str = "shape", counted: int = 0
) -> Parts:
    """One sparse tensor with a row, along a new first axis, for each of several.

    Its shape is the largest of each axis. Errors about ranks name `what` differs and count
    `counted` axes more than there are, as TensorFlow's do.
    """
    if not rows:
        raise invalid("Must have at least 1 serialized SparseTensor, but input matrix has 0 rows")
    rank = None
    for i, (indices, values, shape) in enumerate(rows):
        _check_row(i, indices, values, shape, dtype)
        if rank is not None and len(shape) != rank:
            raise invalid(
                f"Inconsistent {what} across SparseTensors: rank prior to SparseTensor[{i}] was: "
                f"{rank + counted} but rank of SparseTensor[{i}] is: {len(shape) + counted}"
            )
        rank = len(shape)
    counts = [len(values) for _, values, _ in rows]
    numbers = np.repeat(np.arange(len(rows), dtype=np.int64), counts)
    joined = np.concatenate([numbers[:, None], np.concatenate([r[0] for r in rows])], axis=1)
    shape = np.concatenate([[len(rows)], np.max([r[2] for r in rows], axis=0)]).astype(np.int64)
    return joined, np.concatenate([r[1] for r in rows]), shape


def _check_row(i: int, indices: Array, values: Array, shape: Array, dtype: np.dtype[Any]) -> None:
    for part, what, rank in ((indices, "indices", 2), (values, "values", 1), (shape, "shape", 1)):
        if part.ndim != rank:
            kind = "a matrix" if rank == 2 else "a vector"
            raise invalid(
                f"Expected SparseTensor[{i}].{what} to be {kind} but received shape "
                f"{spelled(part.shape)}"
            )
    if values.dtype != dtype:
        raise invalid(
            f"Requested SparseTensor of type {_name(dtype)} but SparseTensor[{i}].values.dtype() "
            f"== {_name(values.dtype)}"
        )
    if len(indices) != len(values):
        raise invalid(
            f"Expected row counts of SparseTensor[{i}].indices and SparseTensor[{i}].values to "
            f"match but they do not: {len(indices)} vs. {len(values)}"
        )
    if indices.shape[1] != len(shape):
        raise invalid(
            f"Expected column counts of SparseTensor[{i}].indices to match size of "
            f"SparseTensor[{i}].shape but they do not: {indices.shape[1]} vs. {len(shape)}"
        )


def _name(dtype: np.dtype[Any]) -> str:
    return "string" if dtype.kind == "O" else dtype.name


def deserialize_many_sparse(serialized_sparse: Any, *, dtype: np.dtype[Any]) -> Parts:
    """The sparse tensor of which each row is one that `serialize_sparse` made strings of."""
    strings = as_array(serialized_sparse)
    if strings.ndim != 2:
        raise invalid(
            f"Serialized sparse should be a matrix but received shape {spelled(strings.shape)}"
        )
    if strings.shape[1] != 3:
        raise invalid(
            f"Serialize sparse should have 3 columns but received shape {spelled(strings.shape)}"
        )
    rows = [tuple(unpack_tensor(item) for item in row) for row in strings.tolist()]
    return join_rows(rows, dtype)  # type: ignore[arg-type]


def deserialize_sparse(serialized_sparse: Any, *, dtype: np.dtype[Any]) -> Parts:
    """The sparse tensor of strings [..., 3]: all axes but the last become its first ones."""
    strings = as_array(serialized_sparse)
    if not strings.ndim:
        raise invalid("Serialized sparse should have non-zero rank []")
    if strings.shape[-1] != 3:
        raise invalid(
            f"Serialized sparse should have 3 as the last dimension {spelled(strings.shape)}"
        )
    if not strings.size:
        raise invalid(
            "Serialized sparse should have at least 1 serialized tensor, but has a zero dimension "
            f"{spelled(strings.shape)}"
        )
    indices, values, shape = deserialize_many_sparse(strings.reshape(-1, 3), dtype=dtype)
    outer = strings.shape[:-1]
    numbers = np.stack(np.unravel_index(indices[:, 0], outer), 1) if outer else indices[:, :0]
    joined = np.concatenate([numbers.astype(np.int64), indices[:, 1:]], axis=1)
    return joined, values, np.concatenate([np.array(outer, np.int64), shape[1:]])
