"""Places for the values of a loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.codegen.table import aligned_bytes

Array = np.ndarray[Any, Any]


def room_for(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array of zeros on cache lines of its own."""
    count = int(np.prod(shape, dtype=np.int64))
    line = aligned_bytes(max(1, count * dtype.itemsize))
    place: Array = line[: count * dtype.itemsize].view(dtype).reshape(shape)
    return place


def copy_of(array: Array) -> Array:
    """A copy of an array on cache lines of its own."""
    place = room_for(array.shape, array.dtype)
    place[...] = array
    return place
