"""The variables and resources of the sessions of a task: shared by them, or a session's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from workbench.cluster.execution.containers import Containers
from workbench.core.runtime.state import SessionState


def is_isolated(config: Any) -> bool:
    """Whether a session keeps its variables for itself: it says so, or has its own cluster."""
    return config is not None and bool(config.isolate_session_state or config.cluster_def.job)


class SessionStates:
    """What each session works on, by its name; for any thread.

    Args:
      containers: what those share that are not isolated.
    """

    def __init__(self, containers: Containers) -> None:
        self._containers = containers
        self._lock = threading.Lock()
        #: The state of sessions that share none with others.
        self._isolated: dict[str, SessionState] = {}
        #: What the others share, and how each of them sees it.
        self._seen: dict[str, tuple[SessionState, SessionState]] = {}

    def open(self, session: str, config: Any) -> None:
        """A session begins."""
        if is_isolated(config):
            with self._lock:
                self._isolated.setdefault(session, SessionState())

    def of(self, session: str) -> SessionState:
        """The variables and resources that a session works on."""
        with self._lock:
            own = self._isolated.get(session)
            if own is not None:
                return own
            shared = self._containers.state
            known, seen = self._seen.get(session, (None, shared))
            if known is not shared:
                # A new session, or one that all was reset for.
                seen = shared.seen_by(session)
                self._seen[session] = shared, seen
        return seen

    def label(self, session: str, text: str | None) -> str:
        """Whose the state is that a session shares with others, set where `text` is given."""
        with self._lock:
            is_shared = session not in self._isolated
        if is_shared and text is not None:
            self._containers.label = text
        return self._containers.label if is_shared else ""

    def leave(self, session: str) -> Callable[[], None]:
        """Forgets a session; what is given ends what was its own, once its steps have."""
        with self._lock:
            isolated = self._isolated.pop(session, None)
            _, seen = self._seen.pop(session, (None, None))

        def end() -> None:
            if isolated is not None:
                isolated.close()
            if seen is not None:
                seen.forget_own()

        return end
