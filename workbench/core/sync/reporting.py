"""Telling the user of waits that nothing seems to end."""

from __future__ import annotations

import threading
import warnings
from typing import Any

from workbench.core.platform import logging
from workbench.core.sync import registry

#: After so many seconds of waiting a deadlock is looked for, and again after twice as long.
FIRST_SECONDS = 10.0
#: After so many seconds a wait of the main thread is told of, deadlock or not.
LONG_SECONDS = 60.0


class Reporter:
    """Reports one wait, once; `next_look` is when, in seconds after it began."""

    def __init__(self, wait: registry.Wait) -> None:
        self._wait = wait
        self.next_look: float | None = FIRST_SECONDS
        self._long = max(FIRST_SECONDS, LONG_SECONDS)

    def look(self, seconds: float) -> None:
        """Reports a deadlock, or a long wait, where there is one after so many seconds.

        A deadlock is a RuntimeWarning: with warnings as errors it ends the wait.
        """
        if registry.all_threads_wait():
            self.next_look = None
            warnings.warn(
                "Deadlock: every thread waits, and nothing can end that but Ctrl-C.\n"
                + _listing(None),
                RuntimeWarning,
                stacklevel=2,
            )
            return
        if seconds >= self._long and threading.current_thread() is threading.main_thread():
            self.next_look = None
            session = self._wait.session() if self._wait.session is not None else None
            logging.warn(
                "A run has waited for %.0f s, and others of its session with it, if any:\n%s",
                seconds,
                _listing(session),
            )
            return
        self.next_look = seconds * 2 if seconds * 2 < self._long else max(self._long, seconds * 2)


def _listing(session: Any) -> str:
    return "\n".join(f"  {wait.describe()}" for wait in registry.waits(session))
