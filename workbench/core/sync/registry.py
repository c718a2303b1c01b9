"""Who waits for what, since when: all waits of the process that are going on."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from workbench.core.graph.source import user_line

#: Threads that serve others in the background and never run a step of their own.
_SERVICES = (
    "workbench-compiler",
    "workbench-writer",
    "workbench-publisher",
    "workbench-step-",
    "workbench events",
)


class Waiting(NamedTuple):
    """One operation that waits.

    >>> import workbench as tf
    >>> session = tf.Session()
    >>> session.waiting()
    []
    """

    #: The operation's name.
    operation: str
    #: The line of the user's code that made it, "" where it is not known.
    line: str
    #: What it waits for, in words.
    wants: str
    #: What it waits at, in words: a queue with its size, and so on.
    resource: str
    #: The name of the thread that waits, "" where none has to.
    thread: str
    #: For how long it has waited, in seconds.
    seconds: float

    def __str__(self) -> str:
        made = f", made at {self.line}" if self.line else ""
        inside = f" in thread {self.thread!r}" if self.thread else ""
        return (
            f"{self.operation!r}{made}: waits for {self.wants}{inside} since {self.seconds:.1f} s; "
            f"{self.resource}"
        )


class Wait:
    """One wait that is going on, as the registry keeps it."""

    def __init__(self, context: Any, wants: Callable[[], str], resource: Callable[[], str]) -> None:
        self.session = None if context is None else weakref.ref(context.session)
        self._operation = None if context is None else context.operation
        self._wants = wants
        self._resource = resource
        #: The thread that waits; None where none has to.
        self.thread: threading.Thread | None = threading.current_thread()
        self.began = time.monotonic()

    def describe(self) -> Waiting:
        """What is known of it now."""
        operation = self._operation
        line = user_line(operation.frames) if operation is not None else None
        return Waiting(
            operation.name if operation is not None else "",
            str(line) if line else "",
            self._wants(),
            self._resource(),
            self.thread.name if self.thread is not None else "",
            time.monotonic() - self.began,
        )


_waits: dict[int, Wait] = {}
#: Threads that wait for other threads to end, or for something to do.
_idle: set[int] = set()


@contextmanager
def registered(wait: Wait) -> Iterator[None]:
    """A block in which somebody waits."""
    # All of it within: an interrupt between two lines leaves nothing behind.
    try:
        _waits[id(wait)] = wait
        yield
    finally:
        _waits.pop(id(wait), None)


@contextmanager
def idle() -> Iterator[None]:
    """A block in which this thread waits for other threads to end, or to give it work."""
    ident = threading.get_ident()
    was_idle = ident in _idle
    try:
        _idle.add(ident)
        yield
    finally:
        if not was_idle:
            _idle.discard(ident)


def waits(session: Any = None) -> list[Wait]:
    """The waits that are going on, of one session or of all, oldest first."""
    found = [
        wait
        for wait in list(_waits.values())
        if session is None or (wait.session is not None and wait.session() is session)
    ]
    return sorted(found, key=lambda wait: wait.began)


def waiting_threads() -> set[int | None]:
    """The threads that wait in some operation."""
    threads = [wait.thread for wait in list(_waits.values())]
    return {thread.ident for thread in threads if thread is not None}


def all_threads_wait() -> bool:
    """True where every thread of the process waits for another one: none can end a wait.

    A thread that joins another one without a time-out waits for it, too.
    """
    known = waiting_threads() | _idle
    frames = sys._current_frames()
    return all(
        thread.ident in known or thread.name.startswith(_SERVICES) or _joins(frames, thread.ident)
        for thread in threading.enumerate()
    )


def _joins(frames: dict[int, Any], ident: int | None) -> bool:
    """True where a thread is in `Thread.join`, and stays there until another one ends.

    So is the main thread at the end of a program, until all threads that are no daemons have ended.
    """
    frame = frames.get(ident or 0)
    while frame is not None:
        if frame.f_code is threading.Thread.join.__code__:
            return frame.f_locals.get("timeout") is None
        if frame.f_code.co_filename != threading.__file__:
            return False
        if frame.f_code.co_name == "_shutdown":
            return True
        frame = frame.f_back
    return False
