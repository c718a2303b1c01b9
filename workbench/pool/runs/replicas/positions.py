"""Where in the data a run of several replicas was after each step: pure data."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any


class Positions:
    """How many replicas took each step, and with which batches.

    As long as the replicas stay the same, one row says it: a step, the batch that it begins with,
    and how many batches each step takes from there.

    >>> positions = Positions()
    >>> positions.note(step=0, batch=0, size=2)
    >>> positions.note(step=1, batch=2, size=2)
    >>> positions.note(step=2, batch=4, size=3)
    >>> positions.rows, [positions.batch(step) for step in range(5)]
    ([[0, 0, 2], [2, 4, 3]], [0, 2, 4, 7, 10])
    """

    def __init__(self, rows: Iterable[Any] = ()) -> None:
        self.rows: list[list[int]] = [[int(n) for n in row] for row in rows]

    def note(self, step: int, batch: int, size: int) -> None:
        """The step after `step` steps takes `size` batches, from `batch` on."""
        if self.rows and step < self.rows[-1][0]:
            self.cut(step)
        if not self.rows or self.rows[-1][2] != size or self.batch(step) != batch:
            self.cut(step)
            self.rows.append([step, batch, size])

    def cut(self, step: int) -> None:
        """Forgets what is said of steps after `step` steps."""
        self.rows = [row for row in self.rows if row[0] < step]

    def batch(self, step: int) -> int:
        """The batch with which the step after `step` steps begins."""
        place = bisect_right(self.rows, step, key=lambda row: row[0])
        if not place:
            return 0
        first, batch, size = self.rows[place - 1]
        return batch + (step - first) * size
