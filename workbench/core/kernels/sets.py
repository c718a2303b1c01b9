"""Sets along the last axis: their sizes, what two have in common, what only one has, their union.

A batch of sets is a pair of vectors, the number of the set and the number of the value of each
element, so that the operations on all sets are single operations on one vector of integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.sparse_positions import flat_positions
from workbench.core.kernels.support import invalid, spelled

Array = np.ndarray[Any, Any]
Parts = tuple[Array, Array, Array]


def set_size(set_indices: Any, set_values: Any, set_shape: Any, *, validate_indices: bool) -> Array:
    """How many different values each row of a sparse tensor has along its last axis, int32.

    >>> parts = np.array([[0, 0], [0, 1], [2, 0]]), np.array([5, 5, 6]), np.array([3, 2])
    >>> set_size(*parts, validate_indices=True)
    array([1, 0, 1], dtype=int32)
    """
    groups, values, outer = _sparse(set_indices, set_values, set_shape, validate_indices)
    _, codes = np.unique(values, return_inverse=True)
    pairs = np.unique(np.stack([groups, codes.reshape(-1)]), axis=1)
    count = int(np.prod(outer, dtype=np.int64))
    return np.bincount(pairs[0], minlength=count).astype(np.int32).reshape(outer)


def dense_to_dense_set_operation(set1: Any, set2: Any, *, set_operation: str) -> Parts:
    """A set operation on each row of two arrays."""
    return _combined(_dense(set1), _dense(set2), set_operation)


def dense_to_sparse_set_operation(
    set1: Any,
    set2_indices: Any,
    set2_values: Any,
    set2_shape: Any,
    *,
    set_operation: str,
    validate_indices: bool,
) -> Parts:
    """A set operation on each row of an array and of a sparse tensor."""
    second = _sparse(set2_indices, set2_values, set2_shape, validate_indices)
    return _combined(_dense(set1), second, set_operation)


def sparse_to_sparse_set_operation(
    set1_indices: Any,
    set1_values: Any,
    set1_shape: Any,
    set2_indices: Any,
    set2_values: Any,
    set2_shape: Any,
    *,
    set_operation: str,
    validate_indices: bool,
) -> Parts:
    """A set operation on each row of two sparse tensors."""
    first = _sparse(set1_indices, set1_values, set1_shape, validate_indices)
    second = _sparse(set2_indices, set2_values, set2_shape, validate_indices)
    return _combined(first, second, set_operation)


#: The number of the set of each element, its value, and the shape that the sets are in.
_Sets = tuple[Array, Array, tuple[int, ...]]


def _outer(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) < 2:
        raise invalid(f"Shape {spelled(shape)} has rank {len(shape)} < 2")
    return shape[:-1]


def _dense(values: Any) -> _Sets:
    array = as_array(values)
    outer = _outer(array.shape)
    numbers = np.arange(int(np.prod(outer, dtype=np.int64)), dtype=np.int64)
    return np.repeat(numbers, array.shape[-1]), array.reshape(-1), outer


def _sparse(indices: Any, values: Any, shape: Any, validate: bool) -> _Sets:
    sizes = tuple(int(size) for size in as_array(shape).tolist())
    outer = _outer(sizes)
    places = as_array(indices)
    flat = flat_positions(places, sizes, "indices")
    if validate and (np.diff(flat) <= 0).any():
        at = int(np.argmax(np.diff(flat) <= 0)) + 1
        problem = "is repeated" if flat[at] == flat[at - 1] else "is out of order"
        raise invalid(f"indices[{at}] = {spelled(places[at])} {problem}")
    return flat_positions(places[:, :-1], outer, "indices"), as_array(values), outer


def _combined(first: _Sets, second: _Sets, operation: str) -> Parts:
    if first[2] != second[2]:
        raise invalid(
            f"Mismatched group shapes: Mismatched shapes {spelled(first[2])} vs "
            f"{spelled(second[2])}"
        )
    known, codes = np.unique(np.concatenate([first[1], second[1]]), return_inverse=True)
    # Set and value of an element as one number: in order of the sets, then of the values.
    groups = np.concatenate([first[0], second[0]])
    pairs = groups * max(1, len(known)) + codes.reshape(-1)
    found = _of_numbers(pairs[: len(first[0])], pairs[len(first[0]) :], operation)
    numbers, places = np.divmod(found, max(1, len(known)))
    count = int(np.prod(first[2], dtype=np.int64))
    sizes = np.bincount(numbers, minlength=count)
    starts = np.cumsum(sizes) - sizes
    columns = np.arange(len(found)) - starts[numbers]
    rows = np.stack([*np.unravel_index(numbers, first[2]), columns], axis=1).astype(np.int64)
    shape = np.array([*first[2], sizes.max(initial=0)], np.int64)
    return rows, known[places], shape


def _of_numbers(a: Array, b: Array, operation: str) -> Array:
    """The set operation on two sets of numbers, the result in order."""
    kind = operation.lower()
    if kind == "a-b":
        return np.setdiff1d(a, b)
    if kind == "b-a":
        return np.setdiff1d(b, a)
    if kind == "intersection":
        return np.intersect1d(a, b)
    if kind == "union":
        return np.union1d(a, b)
    raise invalid(f"Invalid set_operation {operation}.")
