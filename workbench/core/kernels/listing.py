"""Kernels whose answer is a list: distinct values, differences, positions, counts, bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.support import INT32, invalid, spelled, widen


def unique(x: np.ndarray, *, out_idx: np.dtype[Any] = INT32) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values of a vector in the order of their first appearance, and where each went.

    Every NaN is distinct, since it equals nothing.

    >>> unique(np.array([7, 3, 7, 9]))
    (array([7, 3, 9]), array([0, 1, 0, 2], dtype=int32))
    """
    values, places, _ = _unique(x, out_idx)
    return values, places


def unique_with_counts(
    x: np.ndarray, *, out_idx: np.dtype[Any] = INT32
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What ``unique`` gives, and how often each value appears.

    >>> unique_with_counts(np.array([7, 3, 7]))[2]
    array([2, 1], dtype=int32)
    """
    return _unique(x, out_idx)


def _unique(x: np.ndarray, out_idx: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = _vector("unique", x)
    if x.dtype == object:
        return _unique_objects(x, out_idx)
    _, first, inverse, counts = np.unique(
        widen(x), return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    order = np.argsort(first)
    rank = np.empty(order.size, out_idx)
    rank[order] = np.arange(order.size)
    return x[first[order]], rank[inverse.reshape(-1)], counts[order].astype(out_idx)


def _unique_objects(
    x: np.ndarray, out_idx: np.dtype[Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hashing instead of sorting: strings compare slowly."""
    places: dict[Any, int] = {}
    index = np.fromiter((places.setdefault(value, len(places)) for value in x), out_idx, x.size)
    values = np.empty(len(places), object)
    values[:] = list(places)
    return values, index, np.bincount(index, minlength=len(places)).astype(out_idx)


def list_diff(
    x: np.ndarray, y: np.ndarray, *, out_idx: np.dtype[Any] = INT32
) -> tuple[np.ndarray, np.ndarray]:
    """The elements of ``x`` that are not in ``y``, in their order, and their positions.

    >>> list_diff(np.array([1, 2, 3, 2]), np.array([2]))
    (array([1, 3]), array([0, 2], dtype=int32))
    """
    x, y = _vector("list_diff", x), _vector("list_diff", y, "y")
    if x.dtype == object:
        known = set(y.tolist())
        kept = np.fromiter((value not in known for value in x), np.bool_, x.size)
    else:
        kept = ~np.isin(widen(x), widen(y))
    where = np.flatnonzero(kept)
    return x[where], where.astype(out_idx)


def invert_permutation(x: np.ndarray) -> np.ndarray:
    """The permutation that undoes ``x``.

    >>> invert_permutation(np.array([2, 0, 1]))
    array([1, 2, 0])
    """
    x = _vector("invert_permutation", x)
    wrong = np.flatnonzero((x < 0) | (x >= x.size))
    if wrong.size:
        raise invalid(
            f"{x[wrong[0]]} is not between 0 and {x.size}, so x is no permutation (x[{wrong[0]}])"
        )
    counts = np.bincount(x, minlength=x.size)
    if x.size and counts.max() > 1:
        twice = int(counts.argmax())
        raise invalid(f"{twice} is duplicated in the input, so x is no permutation")
    result = np.empty_like(x)
    result[x] = np.arange(x.size, dtype=x.dtype)
    return result


def where(input: np.ndarray) -> np.ndarray:
    """The positions, one row each and in row-major order, of what is true (or not zero).

    >>> where(np.array([[True, False], [False, True]]))
    array([[0, 0],
           [1, 1]])
    """
    return np.argwhere(np.asarray(input)).astype(np.int64, copy=False)


def bincount(arr: np.ndarray, size: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """How often each of 0 ... size - 1 is in ``arr``, or the sum of the weights found with it.

    Larger numbers are left out. With no weights the counts have the dtype of ``weights``.

    >>> bincount(np.array([1, 1, 5]), np.array(3), np.zeros(0, np.int64))
    array([0, 2, 0])
    """
    flat, weights, count = np.asarray(arr).reshape(-1), np.asarray(weights), int(size)
    if count < 0:
        raise invalid(f"size ({count}) must be non-negative")
    if flat.size and flat.min() < 0:
        raise invalid(f"Input arr must be non-negative, but it holds {flat.min()}")
    kept = flat < count
    if not weights.size:
        return np.bincount(flat[kept], minlength=count).astype(weights.dtype)
    if weights.shape != np.shape(arr):
        raise invalid(
            "Input indices and weights must have the same size, unless weights are empty: got "
            f"shapes {spelled(np.shape(arr))} and {spelled(weights.shape)}"
        )
    result = np.zeros(count, widen(weights).dtype)
    np.add.at(result, flat[kept], weights.reshape(-1)[kept].astype(result.dtype))
    return result.astype(weights.dtype, copy=False)


def bucketize(input: np.ndarray, *, boundaries: Sequence[float]) -> np.ndarray:
    """The number of boundaries that are not above each value.

    >>> bucketize(np.array([-5, 10, 150]), boundaries=(0.0, 10.0, 100.0))
    array([0, 2, 3], dtype=int32)
    """
    # An attribute of list(float) has float32 precision, and so do the comparisons with it.
    edges = np.asarray(boundaries, np.float32)
    if (edges[1:] < edges[:-1]).any():
        raise invalid(f"Expected sorted boundaries, got {list(boundaries)}")
    values = widen(np.asarray(input))
    return np.searchsorted(edges, values, side="right").astype(np.int32)


def histogram_fixed_width(
    values: np.ndarray,
    value_range: np.ndarray,
    nbins: np.ndarray,
    *,
    dtype: np.dtype[Any] = INT32,
) -> np.ndarray:
    """Counts in ``nbins`` equal bins of a range; what lies outside goes to the outermost bins.

    >>> histogram_fixed_width(np.array([-1.0, 0.5, 9.0]), np.array([0.0, 1.0]), np.array(2))
    array([1, 2], dtype=int32)
    """
    flat, bins = widen(np.asarray(values)).reshape(-1), int(nbins)
    low, high = np.asarray(value_range).tolist()
    if bins < 1:
        raise invalid(f"nbins should be a positive number, but got '{bins}'")
    if not low < high:
        raise invalid(
            f"value_range should satisfy value_range[0] < value_range[1], but got '[{low}, {high}]'"
        )
    step = (high - low) / bins
    inside = np.clip(flat.astype(np.float64), low, high)
    index = np.clip(np.floor((inside - low) / step), 0, bins - 1)
    return np.bincount(index.astype(np.intp), minlength=bins).astype(dtype)


def edit_distance(
    hypothesis_indices: np.ndarray,
    hypothesis_values: np.ndarray,
    hypothesis_shape: np.ndarray,
    truth_indices: np.ndarray,
    truth_values: np.ndarray,
    truth_shape: np.ndarray,
    *,
    normalize: bool = True,
) -> np.ndarray:
    """Levenshtein distances between the sequences of two sparse tensors, over the truth's lengths.

    A sequence runs along the last dimension. With ``normalize`` an empty truth gives infinity, or
    zero where the hypothesis is empty too.

    >>> cat, cart = np.array([3, 1, 20]), np.array([3, 1, 18, 20])
    >>> positions = np.array([[0, 0], [0, 1], [0, 2], [0, 3]])
    >>> edit_distance(positions[:3], cat, np.array([1, 3]), positions, cart, np.array([1, 4]))
    array([0.25], dtype=float32)
    """
    shapes = [np.asarray(shape).tolist() for shape in (hypothesis_shape, truth_shape)]
    if len(shapes[0]) != len(shapes[1]) or len(shapes[0]) < 2:
        raise invalid(f"both shapes need the same rank of at least 2, got {shapes[0]}, {shapes[1]}")
    groups = tuple(max(sizes) for sizes in zip(shapes[0][:-1], shapes[1][:-1], strict=True))
    hypotheses = _sequences(hypothesis_indices, hypothesis_values, groups)
    truths = _sequences(truth_indices, truth_values, groups)
    result = np.zeros(groups, np.float32)
    for group in hypotheses.keys() | truths.keys():
        found, wanted = hypotheses.get(group, []), truths.get(group, [])
        distance = float(_levenshtein(found, wanted))
        if normalize:
            distance = distance / len(wanted) if wanted else float("inf")
        result[group] = distance
    return result


def _sequences(
    indices: np.ndarray, values: np.ndarray, groups: tuple[int, ...]
) -> dict[tuple[int, ...], list[Any]]:
    result: dict[tuple[int, ...], list[Any]] = {}
    for index, value in zip(np.asarray(indices).tolist(), np.asarray(values).tolist(), strict=True):
        group = tuple(index[:-1])
        if any(not 0 <= i < size for i, size in zip(group, groups, strict=True)):
            raise invalid(f"the index {index} is out of range for the shape {list(groups)}")
        result.setdefault(group, []).append(value)
    return result


def _levenshtein(a: list[Any], b: list[Any]) -> int:
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            change = diagonal + (left != right)
            diagonal = row[j]
            row[j] = min(change, diagonal + 1, row[j - 1] + 1)
    return row[-1]


def bitcast(input: np.ndarray, *, type: np.dtype[Any]) -> np.ndarray:
    """The same bytes seen as another dtype; a last dimension takes up or gives the difference.

    >>> bitcast(np.array([1.0], np.float32), type=np.dtype(np.int32))
    array([1065353216], dtype=int32)
    >>> bitcast(np.array([[1, 0], [0, 1]], np.uint8), type=np.dtype(np.uint16))
    array([  1, 256], dtype=uint16)
    """
    input = np.require(input, requirements="C")
    old, new = input.dtype.itemsize, type.itemsize
    if old == new:
        return input.view(type)
    if old > new:
        return np.expand_dims(input, -1).view(type)
    if not input.ndim or input.shape[-1] != new // old:
        raise invalid(
            f"Cannot bitcast {input.dtype} of shape {spelled(input.shape)} to {type}: that needs a "
            f"last dimension of {new // old}"
        )
    return input.view(type).reshape(input.shape[:-1])


def _vector(operation: str, x: np.ndarray, name: str = "x") -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 1:
        raise invalid(f"{operation} expects a 1D vector, got {name} of shape {spelled(x.shape)}")
    return x
