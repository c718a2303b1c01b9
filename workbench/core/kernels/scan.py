"""Sums and products that run along an axis."""

from __future__ import annotations

import numpy as np

from workbench.core.kernels.support import invalid, widen


def cumsum(
    x: np.ndarray, axis: np.ndarray, *, exclusive: bool = False, reverse: bool = False
) -> np.ndarray:
    """The sums of all elements up to each one along ``axis``.

    ``exclusive`` leaves the element itself out, ``reverse`` sums from the other end.

    >>> cumsum(np.array([1, 2, 3]), np.array(0), exclusive=True)
    array([0, 1, 3])
    """
    return _running(np.add, x, axis, exclusive, reverse)


def cumprod(
    x: np.ndarray, axis: np.ndarray, *, exclusive: bool = False, reverse: bool = False
) -> np.ndarray:
    """The products of all elements up to each one along ``axis``.

    >>> cumprod(np.array([1, 2, 3]), np.array(0), reverse=True)
    array([6, 6, 3])
    """
    return _running(np.multiply, x, axis, exclusive, reverse)


def _running(
    operation: np.ufunc, x: np.ndarray, axis: np.ndarray, exclusive: bool, reverse: bool
) -> np.ndarray:
    x, along = np.asarray(x), int(axis)
    if not -x.ndim <= along < x.ndim:
        raise invalid(
            f"Expected scan axis in the range [{-x.ndim}, {x.ndim}), but got {along} for a tensor "
            f"of shape {x.shape}"
        )
    # 16-bit running sums would stop growing early; they are carried in 32 bits.
    wide = widen(x)
    result = np.empty(x.shape, wide.dtype)
    source, target = np.moveaxis(wide, along, 0), np.moveaxis(result, along, 0)
    if reverse:
        source, target = source[::-1], target[::-1]
    if exclusive and len(source):
        target[0] = operation.identity
        source, target = source[:-1], target[1:]
    with np.errstate(over="ignore", invalid="ignore"):
        operation.accumulate(source, axis=0, dtype=wide.dtype, out=target)
        return result.astype(x.dtype, copy=False)
