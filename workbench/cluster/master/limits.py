"""What limits a run that is elsewhere: the deadline of its thread, and a cancellation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.core.sync.scope import current


class _Canceller:
    """Waits in a scope for a run that is elsewhere."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def cancel(self) -> None:
        """The run is cancelled."""
        self._end()

    def look(self) -> None:
        """The deadline is another one: whoever runs the step keeps to the one it was told."""


def seconds_left() -> float | None:
    """How long a run of this thread may still take; None for as long as it likes."""
    scope = current()
    deadline = scope.deadline if scope is not None else None
    return None if deadline is None else max(deadline - time.monotonic(), 0.0)


@contextmanager
def cancelling(end: Callable[[], None]) -> Iterator[None]:
    """A block in which `end` is called, by another thread, when this thread's run is cancelled."""
    scope = current()
    if scope is None:
        yield
        return
    with scope.waiting(_Canceller(end)):
        yield
