"""Whose turn it is: those who build a graph go before other threads that run it.

Python gives each thread five milliseconds. Where a hundred threads run steps of microseconds, one
after the other, whoever builds waits for half a second each time that its own are over. So a run
that finds another thread building waits a moment, in which Python is free, and asks again before
the next step.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

#: So long after an operation was added, its thread is still taken to be building (seconds).
_LINGERING = 0.1
#: How long a run waits at a time (seconds), for each of the runs that wait: together they leave
#: most of the time to the thread that builds, and one alone hardly notices.
_PAUSE = 0.0002


class RightOfWay:
    """Who builds a graph, as far as those who run it have to know."""

    __slots__ = ("_builder", "_steady", "_until", "_waiting")

    def __init__(self) -> None:
        self._builder = 0
        self._until = 0.0
        #: The threads that build without a pause, and those that wait.
        self._steady: set[int] = set()
        self._waiting: set[int] = set()

    def take(self) -> None:
        """Notes that this thread builds."""
        self._builder = get_ident()
        self._until = time.monotonic() + _LINGERING

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A scope in which this thread builds all the time; it does not open one inside."""
        self._steady.add(get_ident())
        self.take()
        try:
            yield
        finally:
            self._steady.discard(get_ident())
            self.take()

    def give_way(self) -> bool:
        """Waits a moment where another thread builds; True where no thread does any more."""
        if not self._steady and time.monotonic() >= self._until:
            return True
        thread = get_ident()
        if self._builder != thread:
            self._waiting.add(thread)
            time.sleep(_PAUSE * len(self._waiting))
            self._waiting.discard(thread)
        return False
