"""Sparse tensors put away under numbers, each taken out once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from workbench.core.kernels.sparse_bytes import Parts
from workbench.core.kernels.support import invalid


class SparseTensorsMap:
    """Sparse tensors by number.

    >>> kept = SparseTensorsMap("kept")
    >>> kept.add([("indices", "values", "shape")])
    [0]
    >>> kept.take([0])
    [('indices', 'values', 'shape')]
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._next = 0
        self._parts: dict[int, Any] = {}

    def add(self, rows: Iterable[Any]) -> list[int]:
        """Keeps sparse tensors; the number of each."""
        found = list(rows)
        with self._lock:
            numbers = list(range(self._next, self._next + len(found)))
            self._next += len(found)
            self._parts.update(zip(numbers, found, strict=True))
        return numbers

    def take(self, numbers: list[int]) -> list[Parts]:
        """The sparse tensors of these numbers, which are then no longer kept."""
        with self._lock:
            for number in numbers:
                if number not in self._parts:
                    raise invalid(f"Unable to find SparseTensor: {number} in map: {self.name}")
            found = {number: self._parts.pop(number) for number in set(numbers)}
        return [found[number] for number in numbers]

    def saved(self) -> dict[str, Any]:
        """What it holds, for `restore`."""
        with self._lock:
            kept = {str(number): list(parts) for number, parts in self._parts.items()}
            return {"next": self._next, "kept": kept}

    def restore(self, saved: dict[str, Any]) -> None:
        """Makes what was saved all that it holds."""
        with self._lock:
            self._next = int(saved["next"])
            self._parts = {int(n): tuple(parts) for n, parts in saved["kept"].items()}
