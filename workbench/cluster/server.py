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
from workbench.cluster.execution.losses import Losses
from workbench.cluster.execution.task import Task
from workbench.cluster.keeper import Keeper
from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.master.tasks import Lead, checked
from workbench.cluster.neighbours import Neighbours
from workbench.cluster.sessions import Sessions
from workbench.cluster.spec import common_text
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
      config: the `ConfigProto` of all sessions on it: what they say of themselves goes before;
        `device_count={"CPU": n}` gives the task several devices.
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
        self._sessions: Sessions | None = None
        #: What ends the steps of clients, by the session's name and a number of the client.
        self.running: dict[tuple[str, int], Scope] = {}
        #: What else others may ask of this server, by the kinds of their messages.
        self.extensions: dict[str, Command] = {}
        self._answering = Answering(self, self.extensions)
        self._endpoint: Endpoint | None = None
        self._neighbours: Neighbours | None = None
        #: Which connections with other tasks were lost.
        self.losses = Losses()
        self._keeper: Keeper | None = None
        self._stopped = threading.Event()
        if start:
            self.start()

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """A server that is a cluster of its own, of one job "local", at an address that is free."""
        return Server({"local": ["localhost:0"]}, config=config, start=start)

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
    def sessions(self) -> Sessions:
        """The sessions on this server. UnavailableError where it was not started."""
        if self._sessions is None:
            raise UnavailableError(None, None, "The server was not started")
        return self._sessions

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
        task = self._task = Task(task_name(self._job, self._index), self._send_values)
        sessions = self._sessions = Sessions(task, self._config, self._address)
        try:
            common = common_text(self._cluster, self._job)
            identity = Identity(task.name, task.incarnation, common)
            self._endpoint = Endpoint(
                self._address,
                self._answering.handle,
                identity=identity,
                lost=self._note_loss,
            )
            task.receives = self._endpoint
        except OpError as error:
            task.close()
            self._task = self._sessions = None
            if not isinstance(error, UnavailableError):
                raise
            raise UnknownError(None, None, f"Could not start the server: {error}") from None
        assert self._endpoint.address is not None
        self._address = self._endpoint.address
        self._neighbours = Neighbours(
            self._cluster, self._job, self._index, self._endpoint, self.device_count
        )
        sessions.begin(self._address, self._neighbours)
        self._answering.begin(self._endpoint)
        self._keeper = Keeper(
            task.name, sessions.led, lambda: Lead.of(task, sessions.led), self._tend
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
        if self._sessions is not None:
            # Other tasks are told while there is somebody to tell them.
            self._sessions.close()
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
        if self._sessions is None or self._stopped.is_set():
            raise UnavailableError(None, None, f"The server at {self._address} does not run")
        return self._sessions.lead(config)

    def reset(self, containers: Sequence[str]) -> None:
        """Forgets what is in containers of all tasks of the cluster, in all where none is named."""
        error = AbortedError(None, None, f"The server at {self._address} was reset since")
        self.sessions.lose(error)
        assert self._neighbours is not None
        others = self._neighbours.others.values()
        answers = [(other.name, other.forget(list(containers))) for other in others]
        self.task.containers.reset(list(containers))
        for name, answer in answers:
            checked(answer.result(_RESET_SECONDS), name)

    def _tend(self, now: float) -> None:
        self.sessions.end_expired(now)
        self._answering.end_forsaken(now)

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
