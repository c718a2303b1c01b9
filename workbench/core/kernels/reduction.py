"""Reductions along axes. `reduction_indices` holds the axes; negative ones count from the end."""

from __future__ import annotations

import builtins
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from workbench.core.kernels.support import invalid, widen

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"

_SMALL = 1024
_LONG_ROW = 4096
_ONES = {np.dtype(t): np.ones(1 << 14, t) for t in (np.float32, np.float64)}


def _axes(x: Array, reduction_indices: Array) -> tuple[int, ...]:
    """The axes, sorted and non-negative."""
    given: Any = reduction_indices.tolist()
    return _normalised((given,) if type(given) is int else tuple(given), x.ndim)


@lru_cache(maxsize=1024)
def _normalised(given: tuple[int, ...], rank: int) -> tuple[int, ...]:
    for axis in given:
        if not -rank <= axis < rank:
            raise invalid(
                f"Invalid reduction dimension ({axis} for input with {rank} dimension(s))"
            )
    return tuple(sorted({axis + rank if axis < 0 else axis for axis in given}))


def _kept(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([1 if i in axes else size for i, size in enumerate(shape)])


def _consecutive(x: Array, axes: tuple[int, ...]) -> Array | None:
    """`x` seen as (before, reduced, after), where the axes stand side by side in memory."""
    if not axes or axes[-1] - axes[0] + 1 != len(axes) or not x.flags.c_contiguous:
        return None
    shape = x.shape
    before, after = shape[: axes[0]], shape[axes[-1] + 1 :]
    return x.reshape(math.prod(before), -1, math.prod(after)) if x.size else None


def _ones(count: int, dtype: np.dtype[Any]) -> Array:
    ready = _ONES[dtype]
    return ready[:count] if count <= ready.size else np.ones(count, dtype)


def _total(x: Array, axes: tuple[int, ...]) -> Array:
    """The sum over `axes`; float32 and float64 through a product with ones where that is faster.

    A reduction that leaves few elements in the innermost loop costs NumPy an order of magnitude
    more than the matrix library. Sums of everything and long rows stay with NumPy's pairwise
    summation, which loses less.
    """
    total: Array
    if x.size >= _SMALL and x.dtype in _ONES and len(axes) < x.ndim:
        block = _consecutive(x, axes)
        if block is not None:
            before, count, after = block.shape
            ones = _ones(count, x.dtype)
            rest = tuple([s for i, s in enumerate(x.shape) if i not in axes])
            if after == 1 and count <= _LONG_ROW:
                total = np.dot(block[:, :, 0], ones)
                return total.reshape(rest)
            if after > 1 and before == 1:
                total = np.dot(ones, block[0])
                return total.reshape(rest)
            if after > 1 and count * after >= _SMALL:
                total = np.matmul(ones, block)
                return total.reshape(rest)
    return _reduced(np.add, x, axes, False, dtype=x.dtype)


def _reduced(
    function: Any, x: Array, axes: tuple[int, ...], keep_dims: bool, **options: Any
) -> Array:
    result: Array = function.reduce(x, axis=axes, keepdims=keep_dims, **options)
    return result


def sum(input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """The sum over the axes.

    >>> sum(np.array([[1, 2], [3, 4]]), np.array([0])).tolist()
    [4, 6]
    """
    x = np.asarray(input)
    axes = _axes(x, reduction_indices)
    wide = widen(x)
    total = _total(wide, axes)
    if wide is not x:
        total = total.astype(x.dtype)
    return total.reshape(_kept(x.shape, axes)) if keep_dims else total


def mean(input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """The mean over the axes; of integers rounded towards zero, of nothing NaN.

    >>> mean(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1])).tolist()
    [1.5, 3.5]
    """
    x = np.asarray(input)
    axes = _axes(x, reduction_indices)
    wide = widen(x)
    total = _total(wide, axes)
    count = math.prod([x.shape[i] for i in axes])
    if x.dtype.kind in "iu":
        average: Array = np.sign(total) * (np.absolute(total) // builtins.max(count, 1))
    elif count:
        average = np.divide(total, count)
    else:
        average = np.full(total.shape, np.nan, wide.dtype)
    if average.dtype != x.dtype:
        average = average.astype(x.dtype)
    return average.reshape(_kept(x.shape, axes)) if keep_dims else average


def prod(input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """The product over the axes."""
    x = np.asarray(input)
    wide = widen(x)
    axes = _axes(x, reduction_indices)
    return _reduced(np.multiply, wide, axes, keep_dims, dtype=wide.dtype).astype(
        x.dtype, copy=False
    )


def _extreme(
    function: np.ufunc, input: Array, reduction_indices: Array, keep_dims: bool, worst: Any
) -> Array:
    x = np.asarray(input)
    axes = _axes(x, reduction_indices)
    if not x.size:
        return _reduced(function, x, axes, keep_dims, initial=worst(x.dtype))
    rows = x.shape[-1] if x.ndim else 1
    if axes == (x.ndim - 1,) and rows <= 16 and x.size >= _SMALL:
        # Few columns: one pass over all rows for each is faster than a loop for each row.
        result: Array = x[..., 0].copy()
        for column in range(1, rows):
            function(result, x[..., column], out=result)
        return result[..., np.newaxis] if keep_dims else result
    return _reduced(function, x, axes, keep_dims)


def _lowest(dtype: np.dtype[Any]) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else dtype.type(-np.inf)


def _highest(dtype: np.dtype[Any]) -> Any:
    return np.iinfo(dtype).max if dtype.kind in "iu" else dtype.type(np.inf)


def max(input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """The largest element over the axes: NaN where one is NaN, the lowest value of nothing."""
    return _extreme(np.maximum, input, reduction_indices, keep_dims, _lowest)


def min(input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """The smallest element over the axes: NaN where one is NaN, the highest value of nothing."""
    return _extreme(np.minimum, input, reduction_indices, keep_dims, _highest)


def all(input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """True where every element over the axes is."""
    x = np.asarray(input)
    return _reduced(np.logical_and, x, _axes(x, reduction_indices), keep_dims)


def any(input: Array, reduction_indices: Array, *, keep_dims: bool = False) -> Array:
    """True where one element over the axes is."""
    x = np.asarray(input)
    return _reduced(np.logical_or, x, _axes(x, reduction_indices), keep_dims)


def arg_max(input: Array, dimension: Array, *, output_type: Any = np.int64) -> Array:
    """The index of the first largest element along an axis."""
    return _index(np.argmax, input, dimension, output_type)


def arg_min(input: Array, dimension: Array, *, output_type: Any = np.int64) -> Array:
    """The index of the first smallest element along an axis."""
    return _index(np.argmin, input, dimension, output_type)


def _index(function: Any, input: Array, dimension: Array, output_type: Any) -> Array:
    x, axis = np.asarray(input), int(dimension)
    if not -x.ndim <= axis < x.ndim:
        raise invalid(f"Expected dimension in the range [{-x.ndim}, {x.ndim}), but got {axis}")
    if not x.shape[axis]:
        raise invalid(f"Reduction axis {axis} is empty in shape {list(x.shape)}")
    return np.asarray(function(x, axis=axis), output_type)
