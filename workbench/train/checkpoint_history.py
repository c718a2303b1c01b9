"""Which checkpoints are kept: the last few, and now and then one for good."""

from __future__ import annotations

import math
from collections.abc import Iterable


class CheckpointHistory:
    """The checkpoints that were written, oldest first, and which of them go.

    It knows no files: it is told what was written when, and says what to remove.

    >>> history = CheckpointHistory(max_to_keep=2, keep_every_seconds=1e9, now=0.0)
    >>> for number, path in enumerate(["m-1", "m-2", "m-3"]):
    ...     history.record(path, float(number))
    >>> history.paths, history.expired()
    (['m-2', 'm-3'], ['m-1'])
    """

    def __init__(self, max_to_keep: int, keep_every_seconds: float, now: float) -> None:
        self.max_to_keep = max_to_keep
        self._keep_every = keep_every_seconds
        self._keep_next = now + keep_every_seconds
        self._kept: list[tuple[str, float]] = []
        self._leaving: list[tuple[str, float]] = []

    @property
    def paths(self) -> list[str]:
        """The checkpoints that are kept, oldest first."""
        return [path for path, _ in self._kept]

    def replace(self, checkpoints: Iterable[tuple[str, float]]) -> None:
        """Starts from these checkpoints and when they were written: at infinity, they never go."""
        self._kept = list(checkpoints)

    def record(self, path: str, now: float) -> None:
        """Notes a checkpoint; without a limit none is remembered, and none goes."""
        if self.max_to_keep <= 0:
            return
        self._kept = [entry for entry in self._kept if entry[0] != path]
        self._kept.append((path, now))
        while len(self._kept) > self.max_to_keep:
            self._leaving.append(self._kept.pop(0))

    def expired(self) -> list[str]:
        """The checkpoints to remove now. One in so many hours is kept for good."""
        removed: list[str] = []
        for path, written in self._leaving:
            if written > self._keep_next:
                if written != math.inf:
                    self._keep_next += self._keep_every
            elif path not in self.paths:
                removed.append(path)
        self._leaving.clear()
        return removed
