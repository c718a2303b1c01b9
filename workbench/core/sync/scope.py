"""What ends the waits of a run before they get what they wait for: a deadline, a cancellation.

Each thread has one scope at a time. Code that does a part of a run in another thread enters the
run's scope there: `scope = current()`, then `with entered(scope):` in that thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Waiter(Protocol):
    """Somebody who waits in a scope."""

    def cancel(self) -> None:
        """The run is cancelled: the wait ends."""

    def look(self) -> None:
        """The deadline is another one."""


class Scope:
    """The deadline of a run, who waits in it, and what is done at its end.

    Args:
      seconds: how long the run may take from now on; None for as long as it likes.
      outer: the scope around it, whose deadline and cancellation hold as well.
    """

    def __init__(self, seconds: float | None = None, outer: Scope | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._seconds = seconds
        self._outer = outer
        self._lock = threading.Lock()
        self._waiters: dict[int, Waiter] = {}
        self._endings: list[Callable[[], None]] = []
        self._cancelled = False

    @property
    def outer(self) -> Scope | None:
        """The scope around it."""
        return self._outer

    @property
    def deadline(self) -> float | None:
        """When the time of the run is up, by the monotonic clock; None for never."""
        outer = None if self._outer is None else self._outer.deadline
        if self._deadline is None or outer is None:
            return outer if self._deadline is None else self._deadline
        return min(self._deadline, outer)

    @property
    def seconds(self) -> float | None:
        """How long the run may take; None for as long as it likes."""
        if self._seconds is None and self._outer is not None:
            return self._outer.seconds
        return self._seconds

    @property
    def is_cancelled(self) -> bool:
        """True once it, or a scope around it, was cancelled."""
        return self._cancelled or (self._outer is not None and self._outer.is_cancelled)

    def cancel(self) -> None:
        """Ends all that waits in this scope, and all that is about to, with CancelledError."""
        with self._lock:
            self._cancelled = True
            waiters = list(self._waiters.values())
        for waiter in waiters:
            waiter.cancel()

    def limit(self, seconds: float) -> None:
        """From now on the run may take so long, whatever was said before."""
        with self._lock:
            self._seconds, self._deadline = seconds, time.monotonic() + seconds
            waiters = list(self._waiters.values())
        for waiter in waiters:
            waiter.look()

    def at_end(self, call: Callable[[], None]) -> None:
        """Has something done when the run is over, however it ends."""
        self._endings.append(call)

    def end(self) -> None:
        """The run is over."""
        while self._endings:
            self._endings.pop()()

    @contextmanager
    def waiting(self, waiter: Waiter) -> Iterator[None]:
        """A block in which somebody waits, who is cancelled at once where the run was."""
        try:
            with self._lock:
                self._waiters[id(waiter)] = waiter
            if self._outer is not None:
                with self._outer.waiting(waiter):
                    if self._cancelled:
                        waiter.cancel()
                    yield
            else:
                if self._cancelled:
                    waiter.cancel()
                yield
        finally:
            with self._lock:
                self._waiters.pop(id(waiter), None)


def scoped(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose every call is a run, with a scope of its own."""

    def run(*values: Any) -> Any:
        outer = _current.scope
        scope = Scope(outer=outer)
        try:
            _current.scope = scope
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
    try:
        _current.scope = scope
        yield scope
    finally:
        _current.scope = outer


@contextmanager
def deadline(seconds: float | None) -> Iterator[Scope]:
    """A block of this thread whose waits end after `seconds` with DeadlineExceededError."""
    scope = Scope(seconds, _current.scope)
    with entered(scope):
        yield scope
