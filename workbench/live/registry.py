"""The runs of this process, and what becomes of them when it ends."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from typing import Any

#: So many runs that have ended are kept with their states, to be rewound or forked.
_ENDED = 8
#: How long the end of the process waits for a loop to write its checkpoint.
_PATIENCE = 10.0


class Registry:
    """All runs of the process: those that go on and the newest of the others are kept alive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: dict[str, Any] = {}
        self._ended: deque[Any] = deque(maxlen=_ENDED)
        self._all: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self._process: int | None = None

    def add(self, run: Any) -> None:
        """A run begins, or goes on."""
        with self._lock:
            self._live[run.id] = run
            self._all[run.id] = run
            if self._process is None:
                self._process = os.getpid()
                atexit.register(self._at_exit)

    def ended(self, run: Any) -> None:
        """A run has ended."""
        with self._lock:
            if self._live.pop(run.id, None) is not None:
                self._ended.append(run)

    def forget(self, run: Any) -> None:
        """A run is closed."""
        with self._lock:
            self._live.pop(run.id, None)
            self._all.pop(run.id, None)
            if run in self._ended:
                self._ended.remove(run)

    def runs(self) -> list[Any]:
        """All runs that are still there, oldest first."""
        with self._lock:
            return sorted(self._all.values(), key=lambda run: run.created)

    def find(self, key: str) -> Any:
        """The run of an id, or None."""
        return self._all.get(key)

    def _at_exit(self) -> None:
        if os.getpid() != self._process:
            # A child that was forked has no loops, only the memory of its parent's.
            return
        with self._lock:
            live = list(self._live.values())
        for run in live:
            run._interrupt()
        for run in live:
            run._end_with_process(_PATIENCE)


registry = Registry()
