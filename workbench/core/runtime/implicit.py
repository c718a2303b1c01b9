"""The session that serves `eval()` and `run()` where the user opened none."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.graph import Graph


def session_for(graph: Graph, session: Any, what: str) -> Any:
    """`session`, else this thread's default session, else the graph's implicit one.

    Raises ValueError where the session is of another graph.
    """
    from workbench.core.runtime.session import get_default_session, implicit_session

    if session is None:
        session = get_default_session()
        if session is not None and session.graph is not graph:
            raise ValueError(
                f"Cannot use the default session to evaluate {what}: it belongs to another graph "
                "than the session's. Pass session=, or open one with tf.Session(graph=...)."
            )
    if session is None:
        return implicit_session(graph)
    if session.graph is not graph:
        raise ValueError(
            f"Cannot use the given session to evaluate {what}: it belongs to another graph than "
            "the session's."
        )
    return session
