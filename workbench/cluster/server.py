"""Servers: a task of a cluster in this process, and what others may ask of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from workbench.cluster.addresses import canonical
from workbench.cluster.answering import Answering
from workbench.cluster.commands.serving import Command
from workbench.cluster.definition import definition_of
from workbench.cluster.execution.leaders import Leaders
from workbench.cluster.execution.leases import Leases
from workbench.cluster.execution.losses import Losses
from workbench.cluster.execution.task import Task
from workbench.cluster.keeper import Keeper, lost
from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.master.tasks import Lead, checked
from workbench.cluster.neighbours import Neighbours
from workbench.cluster.spec import ClusterSpec, common_text
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.hello import Identity
from workbench.cluster.wire.peers import Sent
from workbench.cluster.wire.traffic import Counts
from workbench.core.errors import (
    AbortedError,
    FailedPreconditionError,
    OpError,
    UnavailableError,
    UnknownError,
)
from workbench.core.plan.placement.devices import task_name
from workbench.core.sync.scope import Scope

#: The servers of this process by their addresses.
_servers: dict[str, Server] = {}
_servers_lock = threading.Lock()
#: How long a task may take to forget what is in its containers, in seconds.
_RESET_SECONDS = 60.0


class Server:
    """One task of a cluster, which sessions of this or another process run steps on.

    Args:
      server_or_cluster_def: a `ClusterSpec`, what one can be made of, or a `ServerDef`.
      job_name: the job of this task; may be left out where there is one job only.
      task_index: the number of this task in its job; may be left out where the job has one task.
      protocol: "tcp" ("grpc" is taken for it).
      config: the `ConfigProto` of sessions that bring none; `device_count={"CPU": n}` gives the
        task several devices.
      start: whether it is started now.

    >>> import workbench as tf
    >>> server = tf.train.Server.create_local_server()
    >>> with tf.Session(server.target) as session:
    ...     session.run(tf.constant(20) + 1)
    np.int32(21)
    >>> server.stop()
    """

    def __init__(
        self,
        server_or_cluster_def: Any,
        job_name: str | None = None,
        task_index: int | None = None,
        protocol: str | None = None,
        config: Any = None,
        start: bool = True,
    ) -> None:
        found = definition_of(server_or_cluster_def, job_name, task_index, protocol, config)
        self._cluster, self._job, self._index = found.cluster, found.job, found.index
        self._config, self._address = found.config, found.address
        self._task: Task | None = None
        #: The sessions that it leads, until they are closed.
        self._sessions: dict[str, MasterSession] = {}
        #: What ends the steps of clients, by the session's name and a number of the client.
        self.running: dict[tuple[str, int], Scope] = {}
        #: What else others may ask of this server, by the kinds of their messages.
        self.extensions: dict[str, Command] = {}
        self._answering = Answering(self, self.extensions)
        self._endpoint: Endpoint | None = None
        self._neighbours: Neighbours | None = None
        #: The sessions that other processes lead on the task, or have led here.
        self.leases = Leases()
        self.leaders = Leaders()
        self.losses = Losses()
        self._keeper: Keeper | None = None
        self._stopped = threading.Event()
        if start:
            self.start()

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """A server that is a cluster of its own, at an address that is free."""
        return Server({"localhost": ["localhost:0"]}, config=config, start=start)

    @property
    def target(self) -> str:
        """What sessions that run on this server are opened with."""
        return self._address

    @property
    def task(self) -> Task:
        """The task of this server. UnavailableError where it was not started."""
        if self._task is None:
            raise UnavailableError(None, None, "The server was not started")
        return self._task

    @property
    def server_def(self) -> Any:
        """The server as a `ServerDef`."""
        from workbench.core.protos import ServerDef

        return ServerDef(
            cluster=self._cluster.as_cluster_def(),
            job_name=self._job,
            task_index=self._index,
            protocol="tcp",
            default_session_config=self._config,
        )

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to serve, once.

        UnknownError where the address is taken; FailedPreconditionError where others than this
        machine would reach it and there are no keys, or where the server was stopped.
        """
        if self._stopped.is_set():
            raise FailedPreconditionError(
                None, None, f"The server at {self._address} was stopped: make another one"
            )
        if self._endpoint is not None:
            return
        self._task = Task(task_name(self._job, self._index), self._send_values)
        try:
            common = common_text(self._cluster, self._job)
            identity = Identity(self._task.name, self._task.incarnation, common)
            self._endpoint = Endpoint(
                self._address,
                self._answering.handle,
                identity=identity,
                lost=self._note_loss,
            )
            self._answering.endpoint = self._endpoint
            self._task.receives = self._endpoint
        except OpError as error:
            self._task.close()
            self._task = None
            if not isinstance(error, UnavailableError):
                raise
            raise UnknownError(None, None, f"Could not start the server: {error}") from None
        assert self._endpoint.address is not None
        self._address = self._endpoint.address
        self._neighbours = Neighbours(
            self._cluster, self._job, self._index, self._endpoint, self.device_count
        )
        self._task.leader = f"{self._task.name}@{self._address}"
        task = self._task
        self._keeper = Keeper(
            task.name,
            self._sessions,
            lambda: Lead.of(task, self._sessions),
            self._tend,
        )
        with _servers_lock:
            _servers[self._address] = self

    def join(self) -> None:
        """Waits until the server stops: for ever, unless somebody stops it."""
        while not self._stopped.wait(3600.0):
            pass

    def stop(self) -> None:
        """Ends its sessions, forgets its variables and queues, and gives its address back."""
        self._stopped.set()
        with _servers_lock:
            if _servers.get(self._address) is self:
                del _servers[self._address]
        if self._keeper is not None:
            self._keeper.stop()
        for session in list(self._sessions.values()):
            # Other tasks are told while there is somebody to tell them.
            session.close()
        if self._endpoint is not None:
            self._endpoint.close()
        if self._task is not None:
            self._task.close()

    def wire_statistics(self) -> dict[str, Counts]:
        """What was sent to each peer and came from it: messages, bytes, and bytes saved."""
        return self._endpoint.statistics() if self._endpoint is not None else {}

    # -- sessions ----------------------------------------------------------------------------

    def open_master(self, config: Any) -> MasterSession:
        """A session that this server leads, for whoever knows its name."""
        if self._task is None or self._stopped.is_set():
            raise UnavailableError(None, None, f"The server at {self._address} does not run")
        config = config or self._config
        filters = list(config.device_filters) if config is not None else []
        seen = self._session_cluster(config) or self._neighbours
        assert seen is not None
        return MasterSession(
            config,
            self._task,
            seen.own_name,
            seen.own_address,
            seen.others,
            seen.devices(filters),
            self._sessions,
        )

    def open_session(self, session: str, config: Any) -> None:
        """A session that another server leads."""
        seen = self._session_cluster(config)
        self.task.open_session(session, config, seen.others if seen is not None else None)

    def _session_cluster(self, config: Any) -> Neighbours | None:
        """The cluster that a session brings; None where it is the one of this server."""
        if config is None or not config.cluster_def.job:
            return None
        assert self._endpoint is not None
        cluster = ClusterSpec(config.cluster_def)
        return Neighbours.of_session(cluster, self._address, self._endpoint, self.device_count)

    def session(self, name: str) -> MasterSession:
        """A session that was opened here. AbortedError for one that is unknown."""
        found = self._sessions.get(name)
        if found is None:
            raise AbortedError(
                None,
                None,
                f"Session {name} was not found: the server at {self._address} was started again "
                "since, or the session was closed",
            )
        return found

    def reset(self, containers: Sequence[str]) -> None:
        """Forgets what is in containers of all tasks of the cluster, in all where none is named."""
        error = AbortedError(None, None, f"The server at {self._address} was reset since")
        for session in list(self._sessions.values()):
            session.lose(error)
        assert self._neighbours is not None
        others = self._neighbours.others.values()
        answers = [(other.name, other.forget(list(containers))) for other in others]
        self.task.containers.reset(list(containers))
        for name, answer in answers:
            checked(answer.result(_RESET_SECONDS), name)

    def end_sessions(self, sessions: Sequence[str]) -> None:
        """Ends what sessions that others lead do here. What they have made stays."""
        for session in sessions:
            self.leases.end(session)
            self.leaders.end(session)
            self.task.close_session(session)

    def _tend(self, now: float) -> None:
        self._end_expired(now)
        self._answering.end_forsaken(now)

    def _end_expired(self, now: float) -> None:
        """Ends the sessions that nobody has spoken of for too long."""
        for name in self.leases.expired(now):
            session = self._sessions.get(name)
            if session is not None:
                session.lose(lost(self._address, name))
                session.close()
            else:
                self.end_sessions([name])

    @property
    def device_count(self) -> int:
        """How many devices the task has."""
        return max(self._config.device_count.get("CPU", 0), 1) if self._config is not None else 1

    # -- the wire ----------------------------------------------------------------------------

    def _note_loss(self, address: str, error: OpError) -> None:
        """What was sent to an address may be lost, and the task there is another one then."""
        self.losses.note(address, time.monotonic())
        if self._neighbours is not None:
            self._neighbours.forget_devices(address)

    def _send_values(
        self,
        task: str,
        session: str,
        step: int,
        values: tuple[tuple[str, Any], ...],
        ended: int | None,
        encodings: dict[str, Encoding],
    ) -> Sent:
        others = self.task.cluster(session)
        if others is None:
            assert self._neighbours is not None
            others = self._neighbours.others
        to = others[task]
        sent: Sent | None = to.deliver(session, step, values, ended, encodings)
        if sent is None:
            text = f"{self.task.name} does not reach {task} at {to.address}, which waits for values"
            raise UnavailableError(None, None, f"{text} of step {step}")
        return sent


def server_at(target: str) -> Server | None:
    """The server of this process at an address."""
    with _servers_lock:
        return _servers.get(canonical(target))
