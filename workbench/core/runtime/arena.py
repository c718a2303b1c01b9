"""The memory of a program: buffers that its runs write to."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from workbench.core.plan.plan import Plan


class Arena:
    """Buffers for one run at a time; runs side by side get one each."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._free: list[list[np.ndarray[Any, Any]]] = []
        self._lock = threading.Lock()

    def take(self) -> list[np.ndarray[Any, Any]]:
        try:
            return self._free.pop()
        except IndexError:
            return self._make()

    def give_back(self, buffers: list[np.ndarray[Any, Any]]) -> None:
        self._free.append(buffers)

    def _make(self) -> list[np.ndarray[Any, Any]]:
        memory = self._plan.memory
        slots = [_aligned(size) for size in memory.slots]
        return [
            slots[b.slot][: int(np.prod(b.shape, dtype=np.int64)) * b.dtype.itemsize]
            .view(b.dtype)
            .reshape(b.shape)
            for b in memory.buffers
        ]


def _aligned(size: int, alignment: int = 64) -> np.ndarray[Any, Any]:
    """Bytes that start on a cache line."""
    raw = np.empty(size + alignment, np.uint8)
    start = -raw.ctypes.data % alignment
    return raw[start : start + size]
