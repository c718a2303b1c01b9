"""Large arrays that are used again as soon as nobody has them any more."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np

#: Arrays begin on cache lines.
_LINE = 64
#: How often an unused array is referred to where it is looked at: the list, the name there and the
#: argument of the question.
_UNUSED = 3


class ArrayPool:
    """Makes arrays; memory that is new costs as much as many of the passes that fill it.

    At most `most` unused arrays are kept.

    >>> pool = ArrayPool(2)
    >>> first = pool.take(3, (2,), np.dtype(np.float32))
    >>> address = first.ctypes.data
    >>> del first
    >>> pool.take(3, (2,), np.dtype(np.float32)).ctypes.data == address
    True
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._arrays: list[np.ndarray[Any, Any]] = []
        self._lock = threading.Lock()

    def take(self, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """An array [rows, *shape] of anything."""
        size = dtype.itemsize * rows
        for entry in shape:
            size *= entry
        with self._lock:
            raw = self._unused(size)
            # Views refer to the array that owns the memory: that tells whether there are any.
            start = -raw.ctypes.data % _LINE
            return raw[start : start + size].view(dtype).reshape((rows, *shape))

    def _unused(self, size: int) -> np.ndarray[Any, Any]:
        """Memory for an array."""
        free = 0
        for number in range(len(self._arrays)):
            raw = self._arrays[number]
            if sys.getrefcount(raw) != _UNUSED:
                continue
            if size + _LINE <= raw.size <= 2 * size + 4096:
                return raw
            free += 1
            if free > self._most:
                del self._arrays[number]
                break
        made = np.empty(size + _LINE, np.uint8)
        self._arrays.insert(0, made)
        return made
