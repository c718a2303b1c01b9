"""What ends the waits of a run before they get what they wait for: a deadline, a cancellation.

Each thread has one scope at a time. Code that does a part of a run in another thread enters the
run's scope there: `scope = current()`, then `with entered(scope):` in that thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Scope:
    """The deadline of a run, and what is called where the run is cancelled.

    Args:
      seconds: how long the run may take from now on; None for as long as it likes.
      outer: the scope around it, whose deadline and cancellation hold as well.
    """

    def __init__(self, seconds: float | None = None, outer: Scope | None = None) -> None:
        deadline = None if seconds is None else time.monotonic() + seconds
        deadlines = [d for d in (deadline, outer.deadline if outer else None) if d is not None]
        self.deadline: float | None = min(deadlines, default=None)
        self.seconds: float | None = outer.seconds if seconds is None and outer else seconds
        self._outer = outer
        self._lock = threading.Lock()
        self._calls: dict[int, Callable[[], None]] = {}
        self._endings: list[Callable[[], None]] = []
        self._cancelled = False

    @property
    def is_cancelled(self) -> bool:
        """True once it, or a scope around it, was cancelled."""
        return self._cancelled or (self._outer is not None and self._outer.is_cancelled)

    def cancel(self) -> None:
        """Ends all that waits in this scope, and all that is about to, with CancelledError."""
        with self._lock:
            self._cancelled = True
            calls = list(self._calls.values())
        for call in calls:
            call()

    def at_end(self, call: Callable[[], None]) -> None:
        """Has something done when the run is over, however it ends."""
        self._endings.append(call)

    def end(self) -> None:
        """The run is over."""
        while self._endings:
            self._endings.pop()()

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """A block in which `call` is called where the scope is cancelled, or at once if it was."""
        key = id(call)
        with self._lock:
            self._calls[key] = call
        try:
            if self._outer is not None:
                with self._outer.calling(call):
                    yield
            else:
                if self._cancelled:
                    call()
                yield
        finally:
            with self._lock:
                self._calls.pop(key, None)


def scoped(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose every call is a run, with a scope of its own."""

    def run(*values: Any) -> Any:
        outer = _current.scope
        scope = _current.scope = Scope(outer=outer)
        try:
            return function(*values)
        finally:
            _current.scope = outer
            scope.end()

    return run


class _Current(threading.local):
    scope: Scope | None = None


_current = _Current()


def current() -> Scope | None:
    """The scope of what this thread runs; None where nothing ends its waits."""
    return _current.scope


@contextmanager
def entered(scope: Scope | None) -> Iterator[Scope | None]:
    """A block in which this thread works for a run."""
    outer = _current.scope
    _current.scope = scope
    try:
        yield scope
    finally:
        _current.scope = outer


@contextmanager
def deadline(seconds: float | None) -> Iterator[Scope]:
    """A block of this thread whose waits end after `seconds` with DeadlineExceededError."""
    scope = Scope(seconds, _current.scope)
    with entered(scope):
        yield scope
