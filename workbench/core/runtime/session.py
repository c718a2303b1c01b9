"""Sessions: they hold the values of a graph's variables and run its parts."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.graph import Graph
from workbench.core.runtime.base_session import BaseSession, open_sessions
from workbench.core.runtime.default_session import get_default_session
from workbench.core.runtime.targets import reset_target, seconds_of


class Session(BaseSession):
    """Holds the values of a graph's variables, and runs parts of the graph.

    `Session(graph=...)` runs another graph than the default one. As a context manager it is the
    default session inside and is closed at the end. `check_numerics=True` stops at the first
    operation that gives NaN or infinity, without any change to the graph.

    A step is interpreted at first, and compiled in the background when it runs again; `tier`
    "interpreted" or "compiled" pins one (a `ConfigProto` with `global_jit_level` OFF or ON_1 does
    so too). `deterministic=True` compiles before the first run, so that every run of the program
    gives the same bits, in any process and on any number of threads of such a processor.

    On a cluster, `placer="cost"` has operations that are not pinned run where a simulated step is
    fastest; "default" is the device of the session's server, and the cluster's first device by name
    for variables that sessions share (`session.placement` explains both). Costs are estimates
    from shapes until `session.use_costs` gives measured ones.

    >>> import workbench as tf
    >>> with tf.Session() as session:
    ...     session.run(tf.constant(2.0) * 3.0)
    np.float32(6.0)
    """

    _heeds_devices = True

    def __init__(
        self,
        target: str = "",
        graph: Graph | None = None,
        config: Any = None,
        *,
        check_numerics: bool = False,
        tier: str | None = None,
        deterministic: bool = False,
        placer: str | None = None,
    ) -> None:
        super().__init__(
            target,
            graph,
            config,
            check_numerics=check_numerics,
            tier=tier,
            deterministic=deterministic,
            placer=placer,
        )
        self._scopes: list[Any] = []

    def __enter__(self) -> Session:
        if self._scopes:
            raise RuntimeError(
                "Session context managers are not re-entrant. Use `Session.as_default()` to enter "
                "a session several times."
            )
        graph_scope = self._graph.as_default()
        graph_scope.__enter__()
        session_scope = self.as_default()
        session_scope.__enter__()
        self._scopes.append((session_scope, graph_scope))
        return self

    def __exit__(self, *error: Any) -> None:
        session_scope, graph_scope = self._scopes.pop()
        session_scope.__exit__(*error)
        graph_scope.__exit__(*error)
        self.close()

    @staticmethod
    def reset(target: str, containers: Any = None, config: Any = None) -> None:
        """Closes all sessions of this process, and with them the resources of their containers.

        Sessions of a process share no resources, so that there is nothing else to clear. With the
        target of a server, what is in these containers there is forgotten (in all of them, where
        none is named), within the `operation_timeout_in_ms` of `config`.
        """
        if target:
            reset_target(target, list(containers or ()), seconds_of(config))
            return
        for session in list(open_sessions):
            session.close()


class LocalSession(Session):
    """A session in which everything runs in this process, wherever the graph pins it.

    It is what runs have: a graph that was built for a cluster is tried, looked at and trained
    before there is one.
    """

    _heeds_devices = False


class InteractiveSession(BaseSession):
    """A session that makes itself the default one, for shells and notebooks.

    >>> import workbench as tf
    >>> session = tf.InteractiveSession()
    >>> tf.constant(2.0).eval()
    np.float32(2.0)
    >>> session.close()
    """

    _leaves_freely = True
    _heeds_devices = True

    def __init__(
        self,
        target: str = "",
        graph: Graph | None = None,
        config: Any = None,
        *,
        check_numerics: bool = False,
        tier: str | None = None,
        deterministic: bool = False,
        placer: str | None = None,
    ) -> None:
        super().__init__(
            target,
            graph,
            config,
            check_numerics=check_numerics,
            tier=tier,
            deterministic=deterministic,
            placer=placer,
        )
        self._graph_scope = None if graph is None else graph.as_default()
        if self._graph_scope is not None:
            self._graph_scope.__enter__()
        self._scope = self.as_default()
        self._scope.__enter__()

    def close(self) -> None:
        """Closes the session and stops being the default one."""
        if not self._closed:
            self._scope.__exit__(None, None, None)
            if self._graph_scope is not None:
                self._graph_scope.__exit__(None, None, None)
        super().close()


class ImplicitSession(BaseSession):
    """The session of a graph for which the user opened none: variables initialise themselves."""

    _initialises = True


def implicit_session(graph: Graph) -> ImplicitSession:
    """The graph's implicit session, made on first use."""
    found = graph.implicit_session
    if found is None or found._closed:
        found = graph.implicit_session = ImplicitSession(graph=graph)
    session: ImplicitSession = found
    return session


__all__ = [
    "ImplicitSession",
    "InteractiveSession",
    "LocalSession",
    "Session",
    "get_default_session",
    "implicit_session",
]
