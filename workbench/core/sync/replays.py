"""Runs that stop where they would wait, and are run again when they need not wait any more.

To wait in a call takes a thread for as long (`Shared.perform`). What does nothing but wait, for one
thing after another, can do without. Where it would wait it ends with `Stopped`; whoever brings what
it lacks has it run again, and it gets once more what it has got before, without asking twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from workbench.core.sync.attempts import Attempt


class Stopped(BaseException):
    """Here a run would have to wait. Nothing is wrong: no handler of errors is to catch it."""


class Source(Protocol):
    """What a run asks for something."""

    def give_up(self, attempt: Attempt) -> None:
        """Nobody wants any more what was asked for, or got."""


class Replay:
    """What a run has asked for so far, in that order.

    Args:
      go_on: called when the run need not wait any more, from any thread and perhaps too often. The
        caller holds locks: it is only to see to it that the run is run again.
    """

    def __init__(self, go_on: Callable[[], None]) -> None:
        #: So that an attempt can have it for its gate.
        self.release = go_on
        self._asked: list[tuple[Source, Attempt]] = []
        self._position = 0
        #: What lasts until it is run again.
        self._until = ExitStack()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A block in which this thread runs it, from its beginning."""
        self._until.close()
        self._position = 0
        outer = _current.replay
        _current.replay = self
        try:
            yield
        finally:
            _current.replay = outer

    def next(self) -> Attempt | None:
        """What was asked for at this place, the last time; None where it did not come so far."""
        if self._position == len(self._asked):
            return None
        _, attempt = self._asked[self._position]
        self._position += 1
        return attempt

    def note(self, source: Source, attempt: Attempt) -> None:
        """Something is asked for here for the first time."""
        self._asked.append((source, attempt))
        self._position += 1

    def stop(self, *until: AbstractContextManager[object]) -> None:
        """Ends the run with Stopped; it is in these blocks until it is run again."""
        for block in until:
            self._until.enter_context(block)
        raise Stopped

    def give_up(self) -> None:
        """It will not be run again: what it waits for, and what it just got, is for others."""
        self._until.close()
        if self._asked:
            source, attempt = self._asked[-1]
            source.give_up(attempt)


class _Current(threading.local):
    replay: Replay | None = None


_current = _Current()


def current() -> Replay | None:
    """What this thread runs without waiting; None where it may wait."""
    return _current.replay
