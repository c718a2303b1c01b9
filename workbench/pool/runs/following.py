"""Asking a worker again and again what is new of a run."""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbench.pool.runs.place import ask, is_gone

if TYPE_CHECKING:
    from workbench.pool.runs.remote_run import RemoteRun

#: The worker answers after so long where nothing is new, in seconds.
_HOLD = 1.0
#: An answer that is not there so long after that never comes.
_GRACE = 3.0
#: Seconds between two tries to reach a worker that is silent.
_RETRY = 0.3


class Follower:
    """The thread that follows one run. One question is open at a time, so nothing piles up."""

    def __init__(self, run: RemoteRun) -> None:
        self._run = weakref.ref(run)
        self._name = f"workbench-follow-{run.id}"
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard = time.monotonic()
        #: Why the worker does not have the run any more; None while it does, or is silent.
        self.refusal: Exception | None = None

    @property
    def silent_for(self) -> float:
        """For how long nothing has been heard, in seconds; 0 while the worker answers in time."""
        silence = time.monotonic() - self._heard
        return 0.0 if silence < _HOLD + 1.0 or self._stopping.is_set() else silence

    def start(self) -> None:
        """Begins."""
        self._heard = time.monotonic()
        self._thread = threading.Thread(target=self._follow, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends; an answer that is awaited is not waited for."""
        self._stopping.set()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            run = self._run()
            if run is None:
                return
            try:
                self._ask(run)
            except Exception as error:
                self._recover(run, error)
                if self._stopping.wait(_RETRY):
                    return
            del run

    def _ask(self, run: Any) -> None:
        fields = run._question() | {"hold": _HOLD}
        answer = ask(run.place, "follow", fields, seconds=_HOLD + _GRACE)
        self._heard, self.refusal = time.monotonic(), None
        if not self._stopping.is_set():
            run._take(answer.fields, dict(answer.arrays))

    def _recover(self, run: Any, error: Exception) -> None:
        if not is_gone(error):
            self._heard, self.refusal = time.monotonic(), error
            return
        # The pool itself may not answer: the next look may find it again.
        with suppress(Exception):
            run.place.renew()
