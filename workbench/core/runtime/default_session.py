"""Which session is the default one, by thread."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any

from workbench.core.graph.context import get_default_graph

if TYPE_CHECKING:
    from workbench.core.runtime.base_session import BaseSession


class _SessionStack(threading.local):
    def __init__(self) -> None:
        self.sessions: list[BaseSession] = []


_stack = _SessionStack()


def get_default_session() -> Any:
    """This thread's innermost default session, or None."""
    return _stack.sessions[-1] if _stack.sessions else None


class DefaultSession:
    """The scope of `Session.as_default`."""

    def __init__(self, session: BaseSession) -> None:
        self._session = session
        self._graph_scope: Any = None

    def __enter__(self) -> BaseSession:
        self._graph_scope = None
        if self._session.graph is not get_default_graph():
            self._graph_scope = self._session.graph.as_default()
            self._graph_scope.__enter__()
        _stack.sessions.append(self._session)
        return self._session

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if (
            kind is None
            and not self._session._leaves_freely
            and self._session is not get_default_session()
        ):
            raise AssertionError("Nesting violated: another session is the default one now.")
        if self._session in _stack.sessions:
            while _stack.sessions.pop() is not self._session:
                pass
        if self._graph_scope is not None:
            self._graph_scope.__exit__(kind, error, traceback)
