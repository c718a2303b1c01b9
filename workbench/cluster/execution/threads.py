"""Threads that are kept for the next piece of work: as many as wait for something at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from workbench.core.errors import ResourceExhaustedError

#: A thread without work for so long ends, in seconds.
_IDLE_SECONDS = 30.0
#: There are no more threads at a time, whatever is asked for.
MOST_THREADS = 2048


class Threads:
    """Runs functions in threads of its own, each at once: none waits for another to end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._idle: list[queue.SimpleQueue[Callable[[], Any] | None]] = []
        self._alive: set[threading.Thread] = set()
        self._is_closed = False

    def start(self, work: Callable[[], Any]) -> None:
        """Has a thread do something.

        RuntimeError once it is closed; ResourceExhaustedError where all that there may be are busy,
        or the system has no more.
        """
        with self._lock:
            if self._is_closed:
                raise RuntimeError(f"The threads {self._name!r} have ended")
            if self._idle:
                self._idle.pop().put(work)
                return
            if len(self._alive) >= MOST_THREADS:
                raise self._exhausted()
            inbox: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
            name = f"{self._name}-{len(self._alive)}"
            thread = threading.Thread(target=self._run, args=(inbox,), name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                raise self._exhausted() from None
            self._alive.add(thread)
        inbox.put(work)

    def _exhausted(self) -> ResourceExhaustedError:
        return ResourceExhaustedError(
            None, None, f"{len(self._alive)} threads wait for something here: there are no more"
        )

    def is_own(self) -> bool:
        """Whether the calling thread is one of them."""
        return threading.current_thread() in self._alive

    def _run(self, inbox: queue.SimpleQueue[Callable[[], Any] | None]) -> None:
        try:
            while True:
                work = self._next(inbox)
                if work is None:
                    return
                work()
                del work
                with self._lock:
                    if self._is_closed:
                        return
                    self._idle.append(inbox)
        finally:
            with self._lock:
                self._alive.discard(threading.current_thread())

    def _next(self, inbox: queue.SimpleQueue[Callable[[], Any] | None]) -> Callable[[], Any] | None:
        try:
            return inbox.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            with self._lock:
                if inbox in self._idle:
                    self._idle.remove(inbox)
                    return None
        # It was given something at that moment.
        return inbox.get()

    def close(self, seconds: float = 5.0) -> None:
        """Ends the threads, and waits so long for those that are at work."""
        with self._lock:
            self._is_closed = True
            for inbox in self._idle:
                inbox.put(None)
            self._idle.clear()
            alive = list(self._alive)
        for thread in alive:
            if thread is not threading.current_thread():
                thread.join(seconds)
