"""The largest entries along the last axis, and whether a target is among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import Array

# A row this many times longer than what is wanted of it is not worth sorting as a whole.
_SELECT = 8


def top_k(input: Array, *, k: int, sorted: bool = True) -> tuple[Array, NDArray[np.int32]]:
    """``top_k_v2`` with ``k`` as an attribute."""
    return top_k_v2(input, np.asarray(k), sorted=sorted)


def top_k_v2(
    input: Array, k: NDArray[Any], *, sorted: bool = True
) -> tuple[Array, NDArray[np.int32]]:
    """The ``k`` largest values along the last axis, and their indices.

    The largest comes first, and of equal ones the one with the lower index. NaN counts as larger
    than everything. Unless ``sorted``, the order is any.

    >>> top_k_v2(np.array([1.0, 5.0, 5.0, 2.0]), np.array(3))
    (array([5., 5., 2.]), array([1, 2, 3], dtype=int32))

    Raises:
      InvalidArgumentError: the last axis has less than ``k`` entries, or there is none.
    """
    count = int(k)
    if not input.ndim:
        raise invalid("the input of top_k must have rank 1 or more, got a scalar")
    length = input.shape[-1]
    if count < 0:
        raise invalid(f"Need k >= 0, got {count}")
    if count > length:
        raise invalid(
            f"input must have at least k columns: k may be at most the {length} entries of the "
            f"last axis, got {count}"
        )
    values = widen(input)  # NumPy sorts these much faster than the half types
    if count == 1:
        indices = np.expand_dims(values.argmax(axis=-1), -1)
    elif count * _SELECT <= length and not _any_nan(values):
        indices = _selected(values, count, sorted)
    else:
        indices = _descending(values)[..., :count]
    return np.take_along_axis(input, indices, axis=-1), indices.astype(np.int32)


def in_top_k(
    predictions: NDArray[np.float32], targets: NDArray[Any], *, k: int
) -> NDArray[np.bool_]:
    """``in_top_k_v2`` with ``k`` as an attribute."""
    return in_top_k_v2(predictions, targets, np.asarray(k))


def in_top_k_v2(
    predictions: NDArray[np.float32], targets: NDArray[Any], k: NDArray[Any]
) -> NDArray[np.bool_]:
    """For each row, whether fewer than ``k`` predictions are larger than that of its target.

    So all of those that tie at the border are in. It is False for a row with a prediction that is
    not finite, and for a target that is not the number of a class.

    >>> in_top_k_v2(np.array([[0.1, 0.6, 0.3]] * 2, np.float32), np.array([2, 0]), np.array(2))
    array([ True, False])

    Raises:
      InvalidArgumentError: the shapes are not [batch, classes] and [batch].
    """
    if predictions.ndim != 2 or targets.shape != predictions.shape[:1]:
        raise invalid(
            "predictions must have the shape [batch, classes] and targets the shape [batch], "
            f"got {predictions.shape} and {targets.shape}"
        )
    rows, classes = predictions.shape
    if not classes:
        return np.zeros(rows, np.bool_)
    known: NDArray[np.bool_] = (targets >= 0) & (targets < classes)
    wanted = predictions[np.arange(rows), np.where(known, targets, 0)]
    larger = np.count_nonzero(predictions > wanted[:, None], axis=1)
    finite = np.isfinite(predictions).all(axis=1)
    known &= finite
    known &= larger < int(k)
    return known


def _any_nan(array: Array) -> bool:
    return array.dtype.kind == "f" and bool(np.isnan(array).any())


def _descending(array: Array) -> NDArray[np.intp]:
    """The indices that sort the last axis from the largest on, of equal ones the first first."""
    # A stable sort of the reversed axis, reversed: no value is negated, which integers forbid.
    ascending: NDArray[np.intp] = np.argsort(array[..., ::-1], axis=-1, kind="stable")
    descending: NDArray[np.intp] = array.shape[-1] - 1 - ascending[..., ::-1]
    return descending


def _selected(array: Array, count: int, sorted: bool) -> NDArray[np.intp]:
    """The indices of the ``count`` largest, found without sorting the others; there is no NaN."""
    if not count or not array.size:
        return np.zeros((*array.shape[:-1], count), np.intp)
    rows = array.reshape(-1, array.shape[-1])
    border = rows.shape[1] - count
    least = np.partition(rows, border, axis=1)[:, border, None]
    above, level = rows > least, rows == least
    # As many of the entries equal to the least one as there is room for, the first ones first.
    room = count - np.count_nonzero(above, axis=1, keepdims=True)
    level &= np.cumsum(level, axis=1) <= room
    indices = np.nonzero(above | level)[1].reshape(-1, count)
    if sorted:
        values = np.take_along_axis(rows, indices, axis=1)
        indices = np.take_along_axis(indices, _descending(values), axis=1)
    return indices.reshape(*array.shape[:-1], count)
