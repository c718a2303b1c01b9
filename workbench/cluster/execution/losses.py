"""Since when connections of a task are lost: what it had sent to others may be lost with them.

A value that a part of a step has sent is nobody's any more: the part may have ended, and been
answered for. So whoever leads steps asks for this, and ends those that may wait for ever.
"""

from __future__ import annotations

import threading

#: What was longer ago has been asked for.
_TOLD_SECONDS = 120.0


class Losses:
    """When the connection with each other task was lost last.

    >>> losses = Losses()
    >>> losses.note("/job:ps/replica:0/task:0", 10.0)
    >>> losses.ages(12.5), losses.ages(500.0)
    ({'/job:ps/replica:0/task:0': 2.5}, {})
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost: dict[str, float] = {}

    def note(self, task: str, now: float) -> None:
        """The connection with a task is lost."""
        with self._lock:
            self._lost[task] = now

    def ages(self, now: float) -> dict[str, float]:
        """How many seconds ago that was, by the tasks' names."""
        with self._lock:
            self._lost = {t: at for t, at in self._lost.items() if now - at < _TOLD_SECONDS}
            return {task: now - at for task, at in self._lost.items()}
