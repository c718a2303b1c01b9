"""The server that commands are for, as they see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from workbench.cluster.execution.leaders import Leaders
from workbench.cluster.execution.leases import Leases
from workbench.cluster.execution.losses import Losses
from workbench.cluster.execution.task import Task
from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.wire.message import Message
from workbench.core.sync.scope import Scope


class Serving(Protocol):
    """The server that a command is for."""

    #: What ends the steps of clients, by the session's name and a number of the client.
    running: dict[tuple[str, int], Scope]
    #: The sessions that others lead or use.
    leases: Leases
    #: Which of them other tasks lead.
    leaders: Leaders
    #: Which connections with other tasks were lost.
    losses: Losses

    @property
    def device_count(self) -> int:
        """How many devices the task has."""

    @property
    def task(self) -> Task:
        """The task that it serves."""

    def open_master(self, config: Any) -> MasterSession:
        """A session that this server leads."""

    def open_session(self, session: str, config: Any) -> None:
        """A session that another server leads."""

    def session(self, name: str) -> MasterSession:
        """A session that a client opened. AbortedError for one that is unknown."""

    def end_sessions(self, sessions: Sequence[str]) -> None:
        """Ends what sessions that others lead do here."""

    def reset(self, containers: list[str]) -> None:
        """Forgets what is in containers of all tasks."""


#: What a message asks for: it is given the server and the message, and returns the answer.
Command = Callable[[Any, Message], Message]
