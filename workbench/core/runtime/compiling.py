"""The one thread of the process on which steps are compiled."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator

# Registers what has to be done after `_finish`: the last to come goes first.
import workbench.core.codegen.llvm  # noqa: F401

#: The thread goes home when nothing came for so long, in seconds.
_IDLE_SECONDS = 5.0
#: How long the end of a process waits for what is being compiled, in seconds.
_END_SECONDS = 1.0
#: How long a thread keeps the interpreter's lock when others want it, while one compiles.
_TURN_SECONDS = 5e-5


class Compiler:
    """The thread that compiles; it starts with the first job and ends when there are none."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._pending = 0
        self._idle = threading.Condition(self._lock)

    def submit(self, job: Callable[[], None]) -> None:
        """Has a job done after those before it."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="workbench-compiler", daemon=True
                )
                try:
                    self._thread.start()
                except RuntimeError:
                    # The process ends, or has as many threads as it may: steps stay interpreted.
                    self._thread = None
                    return
            self._pending += 1
            self._jobs.put(job)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until all jobs are done; False after `timeout` seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: self._pending == 0, timeout)

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._thread = None
                        return
                continue
            try:
                with _short_turns():
                    job()
            except Exception:
                # Told like that of a thread; the other jobs go on.
                current = threading.current_thread()
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), current)))
            finally:
                with self._idle:
                    self._pending -= 1
                    self._idle.notify_all()
                del job


#: How long turns are when nothing is compiled, while something is.
_usual_turn: float | None = None


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    """Has Python's threads take turns more often: the user's steps wait for the lock many times."""
    global _usual_turn
    _usual_turn = sys.getswitchinterval()
    sys.setswitchinterval(min(_usual_turn, _TURN_SECONDS))
    try:
        yield
    finally:
        _long_turns()


def _long_turns() -> None:
    """Turns as long as they were, unless somebody else chose their length meanwhile."""
    global _usual_turn
    if _usual_turn is not None and sys.getswitchinterval() <= _TURN_SECONDS:
        sys.setswitchinterval(_usual_turn)
    _usual_turn = None


_compiler = Compiler()


def compiler() -> Compiler:
    """The process's compiling thread."""
    return _compiler


def _after_fork() -> None:
    """A forked process has no such thread: it makes its own."""
    global _compiler
    _compiler = Compiler()
    _long_turns()


def _finish() -> None:
    """At the end of the process, lets what is being compiled be kept for the next one."""
    if os.environ.get("WORKBENCH_CACHE") != "":
        _compiler.wait(_END_SECONDS)


atexit.register(_finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
