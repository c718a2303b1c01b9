"""Many arrays in one for each type, so that they are averaged at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: Arrays begin at multiples of so many bytes, as vector code likes them.
_ALIGNMENT = 64


class Buckets:
    """Memory for arrays of some shapes and types, one flat array for each type.

    >>> import numpy as np
    >>> buckets = Buckets.like([np.ones(3, np.float32), np.ones((2, 2), np.float32)])
    >>> [len(flat) for flat in buckets.flat], [view.shape for view in buckets.views]
    ([20], [(3,), (2, 2)])
    """

    def __init__(self, key: tuple[Any, ...]) -> None:
        self.key = key
        lengths: dict[Any, int] = {}
        places = []
        for shape, dtype in key:
            step = max(1, _ALIGNMENT // dtype.itemsize)
            start = -(-lengths.get(dtype, 0) // step) * step
            size = int(np.prod(shape, dtype=np.int64))
            lengths[dtype] = start + size
            places.append((dtype, start, size, shape))
        by_type = {dtype: _aligned(length, dtype) for dtype, length in lengths.items()}
        #: The flat arrays; the gaps in them are zeros.
        self.flat: list[Array] = list(by_type.values())
        #: The arrays, in the order in which they were asked for.
        self.views: list[Array] = [
            by_type[dtype][start : start + size].reshape(shape)
            for dtype, start, size, shape in places
        ]

    @staticmethod
    def key_of(arrays: Sequence[Any]) -> tuple[Any, ...]:
        """What arrays must have in common to use the same memory."""
        return tuple((np.shape(a), np.asarray(a).dtype) for a in arrays)

    @staticmethod
    def like(arrays: Sequence[Any]) -> Buckets:
        """Memory for arrays like these."""
        return Buckets(Buckets.key_of(arrays))

    def fill(self, arrays: Sequence[Any]) -> None:
        """Copies arrays to their places."""
        for view, array in zip(self.views, arrays, strict=True):
            np.copyto(view, array)


def _aligned(length: int, dtype: Any) -> Array:
    memory = np.zeros(length * dtype.itemsize + _ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % _ALIGNMENT
    return memory[first : first + length * dtype.itemsize].view(dtype)
