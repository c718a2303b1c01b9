"""Arrays that start on a cache line: vectors of them are read without crossing one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_ALIGNMENT = 64


def aligned_copy(value: Any) -> Any:
    """A copy of an array that starts on a cache line, with its axes in memory as they were.

    What is no array of numbers with axes is copied as NumPy does, or returned as it is.

    >>> matrix = np.asfortranarray(np.eye(3))
    >>> copy = aligned_copy(matrix)
    >>> copy.ctypes.data % 64, copy.flags.f_contiguous, bool((copy == matrix).all())
    (0, True, True)
    """
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.hasobject or not value.ndim:
        return value.copy(order="K")
    order = memory_order(value)
    shape = tuple(value.shape[axis] for axis in order)
    size = math.prod(shape) * value.itemsize
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    copy = raw[start : start + size].view(value.dtype).reshape(shape)
    copy = copy.transpose(np.argsort(order))
    copy[...] = value
    return copy


def memory_order(array: np.ndarray[Any, Any]) -> list[int]:
    """The axes of an array from the one with the longest stride to that with the shortest."""
    if array.flags.c_contiguous:
        return list(range(array.ndim))
    return sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
