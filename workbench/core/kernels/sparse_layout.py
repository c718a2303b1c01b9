"""Sparse tensors joined, cut, reordered and reshaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.sparse_positions import bounded, flat_positions, unflatten
from workbench.core.kernels.support import invalid

Array = np.ndarray[Any, Any]


def _order(indices: Array) -> Array:
    """The permutation that puts positions in row-major order."""
    return np.lexsort(indices.T[::-1]) if indices.shape[1] else np.arange(len(indices))


def sparse_reorder(
    input_indices: Array, input_values: Array, input_shape: Array
) -> tuple[Array, Array]:
    """The entries in row-major order.

    >>> sparse_reorder(np.array([[1, 0], [0, 1]]), np.array([5, 6]), np.array([2, 2]))[1]
    array([6, 5])
    """
    indices = np.asarray(input_indices)
    order = _order(indices)
    return indices[order], input_values[order]


def sparse_reshape(
    input_indices: Array, input_shape: Array, new_shape: Array
) -> tuple[Array, Array]:
    """The positions of the same elements in another shape, of which one size may be -1.

    >>> sparse_reshape(np.array([[1, 0]]), np.array([2, 3]), np.array([-1]))
    (array([[3]]), array([6]))
    """
    old = tuple(np.asarray(input_shape).tolist())
    target = np.asarray(new_shape).tolist()
    total = int(np.prod(old, dtype=np.int64))
    if target.count(-1) > 1 or any(size < -1 for size in target):
        raise invalid(f"only one output dimension may be -1, got {target}")
    if -1 in target:
        known = int(np.prod([size for size in target if size != -1], dtype=np.int64))
        if known == 0 or total % known:
            raise invalid(
                f"Input to reshape is a SparseTensor with {total} dense values, but the requested "
                f"shape requires a multiple of {known}"
            )
        target[target.index(-1)] = total // known
    if int(np.prod(target, dtype=np.int64)) != total:
        raise invalid(
            f"Input to reshape is a tensor with {total} dense values, but the requested shape has "
            f"{int(np.prod(target, dtype=np.int64))}"
        )
    flat = flat_positions(np.asarray(input_indices), old, "input_indices")
    return unflatten(flat, tuple(target)), np.array(target, np.int64)


def sparse_concat(
    indices: Sequence[Array], values: Sequence[Array], shapes: Sequence[Array], *, concat_dim: int
) -> tuple[Array, Array, Array]:
    """Sparse tensors one after the other along an axis, their entries in row-major order.

    >>> sparse_concat(
    ...     (np.array([[0]]), np.array([[1]])),
    ...     (np.array([5]), np.array([6])),
    ...     (np.array([2]), np.array([3])),
    ...     concat_dim=0,
    ... )
    (array([[0],
           [3]]), array([5, 6]), array([5]))
    """
    sizes = [np.asarray(s).tolist() for s in shapes]
    rank = len(sizes[0])
    if not -rank <= concat_dim < rank:
        raise invalid(f"Concat dimension must be in range [{-rank}, {rank}), got {concat_dim}")
    axis = concat_dim % rank
    for number, size in enumerate(sizes):
        others = [(a, b) for i, (a, b) in enumerate(zip(sizes[0], size, strict=False)) if i != axis]
        if len(size) != rank or any(a != b for a, b in others):
            raise invalid(
                f"Input shapes must match except along axis {axis}: got {sizes[0]} at position 0 "
                f"and {size} at position {number}"
            )
    moved, start = [], 0
    for index, size in zip(indices, sizes, strict=True):
        shifted = np.array(index)
        shifted[:, axis] += start
        start += size[axis]
        moved.append(shifted)
    joined, entries = np.concatenate(moved), np.concatenate(values)
    order = _order(joined)
    shape = [*sizes[0][:axis], start, *sizes[0][axis + 1 :]]
    return joined[order], entries[order], np.array(shape, np.int64)


def _part(
    indices: Array, values: Array, start: Sequence[int], stop: Sequence[int]
) -> tuple[Array, Array, Array]:
    """The entries between two corners, counted from the first, and the shape in between."""
    low, high = np.array(start, np.int64), np.array(stop, np.int64)
    inside = ((indices >= low) & (indices < high)).all(axis=1)
    return indices[inside] - low, values[inside], np.maximum(high - low, 0)


def sparse_slice(
    indices: Array, values: Array, shape: Array, start: Array, size: Array
) -> tuple[Array, Array, Array]:
    """The entries of a part that begins at ``start``; ``size`` is cut where the tensor ends.

    >>> sparse_slice(
    ...     np.array([[1], [3]]), np.array([5, 6]), np.array([4]), np.array([2]), np.array([9])
    ... )
    (array([[1]]), array([6]), array([2]))
    """
    sizes, low = np.asarray(shape), np.asarray(start)
    high = np.minimum(low + np.asarray(size), sizes)
    return _part(np.asarray(indices), values, low.tolist(), high.tolist())


def sparse_slice_grad(
    backprop_val_grad: Array, input_indices: Array, input_start: Array, output_indices: Array
) -> Array:
    """The gradient of the values of ``sparse_slice``: zero for those left out."""
    wanted = {tuple(row): i for i, row in enumerate((output_indices + input_start).tolist())}
    places = [wanted.get(tuple(row), -1) for row in np.asarray(input_indices).tolist()]
    found = np.array(places, np.int64)
    result = np.zeros(len(found), backprop_val_grad.dtype)
    result[found >= 0] = backprop_val_grad[found[found >= 0]]
    return result


def sparse_split(
    split_dim: Array, indices: Array, values: Array, shape: Array, *, num_split: int
) -> tuple[Array, ...]:
    """Parts along an axis, the first ones one longer where the size does not divide.

    Gives the indices of all parts, then their values, then their shapes.
    """
    sizes = np.asarray(shape).tolist()
    rank, axis = len(sizes), int(split_dim)
    if not -rank <= axis < rank:
        raise invalid(f"Input split_dim should be between {-rank} and {rank - 1}, got {axis}")
    axis %= rank
    if not 1 <= num_split <= sizes[axis]:
        raise invalid(
            f"Input num_split should be between 1 and the splitting dimension size ({sizes[axis]}),"
            f" got {num_split}"
        )
    each, longer = divmod(sizes[axis], num_split)
    parts, begin = [], 0
    for number in range(num_split):
        end = begin + each + (number < longer)
        start, stop = [0] * rank, list(sizes)
        start[axis], stop[axis] = begin, end
        parts.append(_part(np.asarray(indices), values, start, stop))
        begin = end
    return tuple(array for column in zip(*parts, strict=True) for array in column)


def sparse_fill_empty_rows(
    indices: Array, values: Array, dense_shape: Array, default_value: Array
) -> tuple[Array, Array, Array, Array]:
    """Rows without entries get one of ``default_value`` in column 0.

    Gives the indices and values in row order, which rows were empty, and where each entry went.

    >>> sparse_fill_empty_rows(np.array([[1, 1]]), np.array([5]), np.array([2, 2]), np.array(9))[:2]
    (array([[0, 0],
           [1, 1]]), array([9, 5]))
    """
    positions = np.asarray(indices)
    bounded(positions[:, :1], tuple(np.asarray(dense_shape).tolist()[:1]), "indices")
    rows = int(np.asarray(dense_shape)[0])
    empty = np.ones(rows, np.bool_)
    empty[positions[:, 0]] = False
    missing = np.flatnonzero(empty)
    extra = np.zeros((len(missing), positions.shape[1]), np.int64)
    extra[:, 0] = missing
    joined = np.concatenate([positions, extra])
    filler = np.empty(len(missing), values.dtype)
    filler.fill(as_array(default_value)[()])
    entries = np.concatenate([values, filler])
    order = np.argsort(joined[:, 0], kind="stable")
    went = np.empty(len(order), np.int64)
    went[order] = np.arange(len(order))
    return joined[order], entries[order], empty, went[: len(positions)]


def sparse_fill_empty_rows_grad(
    reverse_index_map: Array, grad_values: Array
) -> tuple[Array, Array]:
    """The gradients of the values and of the default value of ``sparse_fill_empty_rows``."""
    kept = grad_values[reverse_index_map]
    rest = np.ones(len(grad_values), np.bool_)
    rest[reverse_index_map] = False
    return kept, np.asarray(grad_values[rest].sum(dtype=grad_values.dtype), grad_values.dtype)
