"""The sessions on a server: those that it leads, and those that others lead on its task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.cluster.execution.leaders import Leaders
from workbench.cluster.execution.leases import Leases
from workbench.cluster.execution.task import Task
from workbench.cluster.keeper import lost
from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.neighbours import Neighbours
from workbench.cluster.session_options import with_defaults
from workbench.cluster.spec import ClusterSpec
from workbench.core.errors import AbortedError, OpError


class Sessions:
    """Opens sessions, finds them, and ends them.

    Args:
      task: the task of the server.
      config: the `ConfigProto` that sessions have beside their own.
      address: where the server is to be.
    """

    def __init__(self, task: Task, config: Any, address: str) -> None:
        self._task, self._config, self._address = task, config, address
        self._neighbours: Neighbours | None = None
        #: The sessions that the server leads by their names, until they are closed.
        self.led: dict[str, MasterSession] = {}
        #: The sessions that other processes lead on the task, or have led here.
        self.leases = Leases()
        self.leaders = Leaders()

    def begin(self, address: str, neighbours: Neighbours) -> None:
        """The server is at an address, and reaches the other tasks of its cluster."""
        self._address, self._neighbours = address, neighbours
        self._task.leader = f"{self._task.name}@{address}"

    def lead(self, config: Any) -> MasterSession:
        """A session that the server leads, for whoever knows its name."""
        config = with_defaults(config, self._config)
        filters = list(config.device_filters) if config is not None else []
        seen = self._cluster_of(config) or self._neighbours
        assert seen is not None
        return MasterSession(
            config,
            self._task,
            seen.own_name,
            seen.own_address,
            seen.others,
            seen.devices(filters),
            self.led,
        )

    def open(self, session: str, config: Any) -> None:
        """A session that another server leads."""
        seen = self._cluster_of(config)
        self._task.open_session(session, config, seen.others if seen is not None else None)

    def _cluster_of(self, config: Any) -> Neighbours | None:
        """The cluster that a session brings; None where it is the one of the server."""
        if config is None or not config.cluster_def.job:
            return None
        assert self._neighbours is not None
        return self._neighbours.of_session(ClusterSpec(config.cluster_def), self._address)

    def find(self, name: str) -> MasterSession:
        """A session that the server leads. AbortedError for one that is unknown."""
        found = self.led.get(name)
        if found is None:
            raise AbortedError(
                None,
                None,
                f"Session {name} was not found: the server at {self._address} was started again "
                "since, or the session was closed",
            )
        return found

    def lose(self, error: OpError) -> None:
        """The sessions that the server leads fail from now on."""
        for session in list(self.led.values()):
            session.lose(error)

    def end(self, sessions: Sequence[str]) -> None:
        """Ends what sessions that others lead do here. What they have made stays."""
        for session in sessions:
            self.leases.end(session)
            self.leaders.end(session)
            self._task.close_session(session)

    def end_expired(self, now: float) -> None:
        """Ends the sessions that nobody has spoken of for too long."""
        for name in self.leases.expired(now):
            session = self.led.get(name)
            if session is not None:
                session.lose(lost(self._address, name))
                session.close()
            else:
                self.end([name])

    def close(self) -> None:
        """Closes the sessions that the server leads."""
        for session in list(self.led.values()):
            session.close()
