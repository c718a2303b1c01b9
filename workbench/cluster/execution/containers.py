"""What a task keeps between steps and sessions: variables, queues, tables."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from workbench.core.runtime.state import SessionState


class Containers:
    """The state of a task, shared by the sessions that use it.

    `default` is what the container of what was put into none is called.
    """

    def __init__(self, default: str) -> None:
        self._default = default
        self._lock = threading.Lock()
        self._state = SessionState()
        #: Whose the state is, as whoever has made it says; "" where nobody has.
        self.label = ""

    @property
    def state(self) -> SessionState:
        """The variables and resources."""
        with self._lock:
            return self._state

    def reset(self, containers: Sequence[str]) -> None:
        """Forgets what is in some containers; in all of them where none is named."""
        with self._lock:
            self.label = ""
            if not containers:
                old, self._state = self._state, SessionState()
            else:
                old = None
        if old is not None:
            old.close()
            return
        self.state.forget([("" if name == self._default else name) for name in containers])

    def close(self) -> None:
        """Forgets everything."""
        self.state.close()
