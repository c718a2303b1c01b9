"""What the threads of a process do with their processor time, piece by piece.

A thread passes marks: it begins to wait, it was woken, it ran a stage, it has sent something. What
lies between two moments at which it waits, or ends what it was told to do, is a piece. Pieces with
the same marks are counted together, with the processor time from each mark to the next, so that all
that a process does in a step is told apart, and nothing of it is left out.
"""

from __future__ import annotations

import functools
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.cluster.execution.driven_step import DrivenStep
from workbench.cluster.execution.inbox import Inbox
from workbench.cluster.execution.registered_part import RegisteredPart
from workbench.cluster.execution.task import Task
from workbench.cluster.execution.threads import Threads
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.watch import Watch
from workbench.core.sync.waiting import Shared

#: Marks at which a piece begins: a thread goes to wait, is called to receive, is woken, or begins
#: or ends what another thread has it do; or a message is dealt with: a step was begun, values got.
WAITS, CALLED, WOKEN, WORKS, RESTS = "waits", "called", "woken", "works", "rests"
BEGAN, GOT = "began", "got"
#: A step that has stopped goes on, in the thread of who ends its wait.
GOES_ON = "goes on"
#: Marks within a piece: a stage was run; something was sent, of the kind that follows.
RAN, SENT = "ran", "sent "
_BETWEEN = {WAITS, CALLED, WOKEN, WORKS, RESTS, BEGAN, GOT, GOES_ON}
#: What is counted is written so often, in seconds.
_EVERY = 0.03
#: So many marks are passed to find out what one costs.
_TRIALS = 20_000

#: By the marks of a piece, after whether it is the main thread's: how often it was passed, the
#: seconds from each of its marks to the next, and the sum of the squares of a piece's seconds.
Pieces = dict[tuple[str, ...], tuple[int, list[float], float]]


class Probe:
    """Counts the pieces of this process."""

    def __init__(self) -> None:
        self._local = threading.local()
        self.pieces: Pieces = {}
        #: The part of a mark's own time that is counted, in seconds.
        self._own = 0.0
        self._own = self._own_seconds()

    def _own_seconds(self) -> float:
        for _ in range(_TRIALS):
            self.mark(RAN)
        self.mark(WAITS)
        legs: list[float] = self._local.legs or [0.0]
        self._local = threading.local()
        del self.pieces
        self.pieces = {}
        return sum(legs) / _TRIALS

    def mark(self, name: str) -> None:
        """This thread is here now."""
        local, now = self._local, time.thread_time()
        marks = getattr(local, "marks", None)
        if marks is not None:
            local.legs.append(max(now - local.since - self._own, 0.0))
            marks.append(name)
        if marks is None or name in _BETWEEN:
            if marks is not None:
                self._count(tuple(marks), local.legs)
            is_main = threading.current_thread() is threading.main_thread()
            local.marks, local.legs = ["main" if is_main else "other", name], []
        local.since = time.thread_time()

    def leave_out(self, seconds: float) -> None:
        """What this thread did last, for so long, belongs to no piece."""
        if hasattr(self._local, "since"):
            self._local.since += seconds

    def _count(self, marks: tuple[str, ...], legs: list[float]) -> None:
        # Under the interpreter's lock at worst one of many is lost.
        count, spent, squares = self.pieces.get(marks, (0, [0.0] * len(legs), 0.0))
        spent = [a + b for a, b in zip(spent, legs, strict=True)]
        self.pieces[marks] = count + 1, spent, squares + sum(legs) ** 2

    def around(
        self, cls: Any, method: str, before: str | None, after: Callable[..., str] | None
    ) -> None:
        """Has a method of a class pass a mark before it, one after it, or both."""
        inner = getattr(cls, method)

        @functools.wraps(inner)
        def probed(*args: Any, **options: Any) -> Any:
            if before is not None:
                self.mark(before)
            try:
                return inner(*args, **options)
            finally:
                if after is not None:
                    self.mark(after(*args))

        setattr(cls, method, probed)

    def write(self, path: Path) -> None:
        """Writes what was counted so far."""
        told = [[*piece] for piece in list(self.pieces.items())]
        other = path.with_suffix(".new")
        other.write_text(json.dumps(told))
        os.replace(other, path)


#: The probe of this process.
_installed: Probe | None = None


def leave_out(seconds: float) -> None:
    """What this thread did last, for so long, belongs to no piece, if they are counted."""
    if _installed is not None:
        _installed.leave_out(seconds)


def install(path: Path) -> None:
    """Has this process write to a file, again and again, what its threads do."""
    global _installed
    _installed = probe = Probe()
    probe.around(Watch, "await_any", WAITS, lambda *args: CALLED)
    probe.around(Watch, "wait", WAITS, lambda *args: WOKEN)
    probe.around(Inbox, "get", WAITS, lambda *args: WOKEN)
    probe.around(Shared, "_await", WAITS, lambda *args: WOKEN)
    probe.around(RegisteredPart, "run", None, lambda *args: RAN)
    probe.around(Task, "begin", None, lambda *args: BEGAN)
    probe.around(DrivenStep, "_again", GOES_ON, None)
    probe.around(Task, "deliver", None, lambda *args: GOT)
    probe.around(Endpoint, "send", None, lambda self, to, message: SENT + message.kind)
    probe.around(Endpoint, "request", None, lambda self, to, message, *about: SENT + message.kind)
    probe.around(Endpoint, "answer", None, lambda self, to, asked, message: SENT + message.kind)
    start = Threads.start

    def start_probed(self: Threads, work: Callable[[], Any]) -> None:
        def probed() -> None:
            probe.mark(WORKS)
            try:
                work()
            finally:
                probe.mark(RESTS)

        start(self, probed)

    Threads.start = start_probed  # type: ignore[method-assign]

    def write_again() -> None:
        while True:
            time.sleep(_EVERY)
            probe.write(path)

    threading.Thread(target=write_again, daemon=True).start()


def read(path: Path) -> Pieces:
    """What was written last."""
    return {tuple(marks): tuple(found) for marks, found in json.loads(path.read_text())}  # type: ignore[misc]


def difference(first: Pieces, last: Pieces) -> Pieces:
    """What was counted between two looks."""
    found: Pieces = {}
    for marks, (count, legs, squares) in last.items():
        before, earlier, less = first.get(marks, (0, [0.0] * len(legs), 0.0))
        if count > before:
            spent = [b - a for a, b in zip(earlier, legs, strict=True)]
            found[marks] = count - before, spent, squares - less
    return found
