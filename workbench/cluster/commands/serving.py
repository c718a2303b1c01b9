"""The server that commands are for, as they see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from workbench.cluster.execution.losses import Losses
from workbench.cluster.execution.task import Task
from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.sessions import Sessions
from workbench.cluster.wire.message import Message
from workbench.core.sync.scope import Scope


class Serving(Protocol):
    """The server that a command is for."""

    #: What ends the steps of clients, by the session's name and a number of the client.
    running: dict[tuple[str, int], Scope]
    #: Which connections with other tasks were lost.
    losses: Losses

    @property
    def device_count(self) -> int:
        """How many devices the task has."""

    @property
    def task(self) -> Task:
        """The task that it serves."""

    @property
    def sessions(self) -> Sessions:
        """The sessions that it leads, and those that others lead on its task."""

    def open_master(self, config: Any) -> MasterSession:
        """A session that this server leads."""

    def reset(self, containers: list[str]) -> None:
        """Forgets what is in containers of all tasks."""


#: What a message asks for: it is given the server and the message, and returns the answer.
Command = Callable[[Any, Message], Message]
