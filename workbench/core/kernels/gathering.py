"""Kernels that move elements or rows by index: gathers, scatters, partitions, one-hot rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.core.kernels.segment import scatter_rows
from workbench.core.kernels.support import invalid, one_number, position, spelled, widen


def gather(params: np.ndarray, indices: np.ndarray, *, validate_indices: bool = True) -> np.ndarray:
    """The rows of ``params`` at ``indices``; bounds are checked whatever ``validate_indices`` says.

    >>> gather(np.array([[1, 2], [3, 4]]), np.array([1, 1]))
    array([[3, 4],
           [3, 4]])
    """
    return gather_v2(params, indices, np.array(0))


def gather_v2(params: np.ndarray, indices: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The slices of ``params`` along ``axis`` at ``indices``, whose dimensions replace it.

    >>> gather_v2(np.array([[1, 2], [3, 4]]), np.array(1), np.array(1))
    array([2, 4])
    """
    params, indices = np.asarray(params), np.asarray(indices)
    along = one_number(axis, "axis")
    if not -params.ndim <= along < params.ndim:
        raise invalid(
            f"Expected axis in the range [{-params.ndim}, {params.ndim}), but got {along}: params "
            f"have shape {spelled(params.shape)}"
        )
    size = params.shape[along]
    _check(indices, size)
    # The indices are in bounds: "clip" only spares NumPy its own, slower check.
    return _array(params.take(indices, axis=along, mode="clip"), params)


def gather_nd(params: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """The slices of ``params`` at the positions that the last dimension of ``indices`` spells.

    >>> gather_nd(np.array([[1, 2], [3, 4]]), np.array([[0, 1], [1, 0]]))
    array([2, 3])
    """
    params, indices = np.asarray(params), np.asarray(indices)
    if indices.size and not params.size and 0 in params.shape[: indices.shape[-1]]:
        raise invalid(
            f"Requested more than 0 entries, but params is empty. Params shape: "
            f"{spelled(params.shape)}"
        )
    flat, depth = _flat_positions(indices, params.shape, "param shape", "params")
    rows = params.reshape(math.prod(params.shape[:depth]), *params.shape[depth:])
    return _array(rows.take(flat, axis=0, mode="clip"), params)


def scatter_nd(indices: np.ndarray, updates: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Zeros of ``shape`` with ``updates`` added at ``indices``; repeated positions accumulate.

    Of strings, empty ones stand for zeros.

    >>> scatter_nd(np.array([[1], [1], [3]]), np.array([1, 2, 3]), np.array([4]))
    array([0, 3, 0, 3])
    """
    indices, updates = np.asarray(indices), np.asarray(updates)
    sizes = tuple(np.asarray(shape).tolist())
    if 0 in sizes and (indices.size or updates.size):
        raise invalid("Indices and updates specified for empty output")
    flat, depth = _flat_positions(indices, sizes, "shape", "output")
    expected = indices.shape[:-1] + sizes[depth:]
    if updates.shape != expected:
        raise invalid(
            f"updates must have shape {spelled(expected)} for indices of shape "
            f"{spelled(indices.shape)} into shape {spelled(sizes)}; got {spelled(updates.shape)}"
        )
    rows = widen(updates).reshape(flat.size, *sizes[depth:])
    # Strings are joined.
    nothing: Any = b"" if updates.dtype.hasobject else 0
    result = scatter_rows(np.add, nothing, flat.reshape(-1), rows, math.prod(sizes[:depth]))
    return result.reshape(sizes).astype(updates.dtype, copy=False)


def one_hot(
    indices: np.ndarray,
    depth: np.ndarray,
    on_value: np.ndarray,
    off_value: np.ndarray,
    *,
    axis: int = -1,
) -> np.ndarray:
    """``on_value`` at each index along a new axis of size ``depth``, ``off_value`` elsewhere.

    An index outside of [0, depth) gives a row of ``off_value``.

    >>> one_hot(np.array([2, -1]), np.array(3), np.array(1), np.array(0))
    array([[0, 0, 1],
           [0, 0, 0]])
    """
    indices, count = np.asarray(indices), int(depth)
    on_value, off_value = np.asarray(on_value), np.asarray(off_value)
    if count < 0:
        raise invalid(f"depth must be non-negative, got: {count}")
    if not -1 <= axis <= indices.ndim:
        raise invalid(
            f"Expected axis to be -1 or between [0, {indices.ndim + 1}).  But received: {axis}"
        )
    split = indices.ndim if axis == -1 else axis
    before, after = indices.shape[:split], indices.shape[split:]
    result = np.empty((math.prod(before), count, math.prod(after)), on_value.dtype)
    result.fill(off_value[()])
    columns = indices.reshape(result.shape[0], result.shape[2])
    outer, inner = np.nonzero((columns >= 0) & (columns < count))
    result[outer, columns[outer, inner], inner] = on_value[()]
    return result.reshape(*before, count, *after)


def dynamic_partition(
    data: np.ndarray, partitions: np.ndarray, *, num_partitions: int
) -> tuple[np.ndarray, ...]:
    """The elements of ``data`` by the number of their partition, in their order.

    >>> dynamic_partition(np.array([5, 6, 7]), np.array([1, 0, 1]), num_partitions=2)
    (array([6]), array([5, 7]))
    """
    data, partitions = np.asarray(data), np.asarray(partitions)
    if partitions.shape != data.shape[: partitions.ndim]:
        raise invalid(
            f"data.shape must start with partitions.shape, got data.shape = {spelled(data.shape)}, "
            f"partitions.shape = {spelled(partitions.shape)}"
        )
    _check(partitions, num_partitions, "partitions")
    flat = partitions.reshape(-1)
    rows = data.reshape(flat.size, *data.shape[partitions.ndim :])
    order = np.argsort(flat, kind="stable")
    ends = np.cumsum(np.bincount(flat, minlength=num_partitions))
    starts = np.concatenate([[0], ends[:-1]])
    return tuple(
        rows.take(order[start:end], axis=0) for start, end in zip(starts, ends, strict=True)
    )


def dynamic_stitch(indices: tuple[np.ndarray, ...], data: tuple[np.ndarray, ...]) -> np.ndarray:
    """``data`` interleaved: element i of a piece goes to row ``indices[i]``, the later piece wins.

    Rows that no index names are zero.

    >>> dynamic_stitch((np.array([0, 2]), np.array([1])), (np.array([5, 7]), np.array([6])))
    array([5, 6, 7])
    """
    if not data or len(indices) != len(data):
        raise invalid(f"{len(indices)} tensors of indices need as many of data, got {len(data)}")
    pieces = []
    inner = None
    for number, (index, values) in enumerate(zip(indices, data, strict=True)):
        index, values = np.asarray(index), np.asarray(values)
        if values.shape[: index.ndim] != index.shape:
            raise invalid(
                f"data[{number}].shape = {spelled(values.shape)} does not start with "
                f"indices[{number}].shape = {spelled(index.shape)}"
            )
        rest = values.shape[index.ndim :]
        if inner is not None and inner != rest:
            raise invalid(
                f"Need data[0] and data[{number}] to agree after the dimensions of their indices, "
                f"where they have {spelled(inner)} and {spelled(rest)}"
            )
        inner = rest
        pieces.append((index.reshape(-1), values.reshape(index.size, *rest)))
    assert inner is not None
    count = max((int(index.max()) + 1 for index, _ in pieces if index.size), default=0)
    result = np.zeros((count, *inner), pieces[0][1].dtype)
    if result.dtype == object:
        result.fill(b"")
    for number, (index, rows) in enumerate(pieces):
        _check(index, count, f"indices[{number}]")
        result[index] = rows
    return result


def _array(value: Any, like: np.ndarray) -> np.ndarray:
    """A taken element as an array: of strings, NumPy hands out the bare one."""
    return value if isinstance(value, np.ndarray) else np.array(value, like.dtype)


def _check(indices: np.ndarray, size: int, name: str = "indices") -> None:
    """Raise unless all ``indices`` are in [0, size), naming the first that is not."""
    if not indices.size:
        return
    # Seen as unsigned, a negative number is huge: one pass tells both bounds.
    unsigned = indices.view(f"u{indices.dtype.itemsize}")
    if unsigned.max() >= size:
        where = int(np.flatnonzero(unsigned.reshape(-1) >= size)[0])
        raise invalid(
            f"{name}{position(indices.shape, where)} = {indices.reshape(-1)[where]} is not in "
            f"[0, {size})"
        )


def _flat_positions(
    indices: np.ndarray, shape: tuple[int, ...], named: str, target: str
) -> tuple[np.ndarray, int]:
    """The rows, counted over the leading dimensions, that the last axis of ``indices`` names."""
    if indices.ndim == 0:
        raise invalid("indices must be at least a vector, got a scalar")
    depth = indices.shape[-1]
    if depth > len(shape):
        raise invalid(
            f"index innermost dimension length must be <= {target} rank; saw: {depth} vs. "
            f"{len(shape)}"
        )
    flat = np.zeros(indices.shape[:-1], np.intp)
    wrong = np.zeros(indices.shape[:-1], np.bool_)
    for axis in range(depth):
        part = indices[..., axis]
        wrong |= (part < 0) | (part >= shape[axis])
        flat = flat * shape[axis] + part
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        bad = indices.reshape(-1, depth)[where].tolist()
        raise invalid(
            f"indices{position(wrong.shape, where)} = {bad} does not index into {named} "
            f"{spelled(shape)}"
        )
    return flat, depth
