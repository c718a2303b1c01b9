"""A worker of a pool, as those see it who use the pool."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from workbench.cluster.master.tasks import checked
from workbench.cluster.wire.message import Message
from workbench.core.errors import DeadlineExceededError
from workbench.pool.runtime_kind import KIND

if TYPE_CHECKING:
    from workbench.pool.link import Link


class Worker:
    """A process of a pool that trains.

    What it is (`name`, `index`, `pid`, `host`, `address`, `devices`, `folder`, `incarnation`) stays
    as it was when the pool was asked; so do `memory` (bytes) and `processor` (percent of one),
    which the worker tells about twice a second.
    """

    def __init__(self, link: Link, described: Mapping[str, Any]) -> None:
        self._link = link
        self.name: str = described["name"]
        self.index: int = described["index"]
        self.pid: int = described["pid"]
        self.host: str = described["host"]
        #: Where its runtime is reached; the target of sessions on it.
        self.address: str = described["address"]
        self.control: str = described["control"]
        self.devices: list[str] = list(described["devices"])
        #: Where it keeps its files, on its own machine.
        self.folder: str = described["folder"]
        self.incarnation: int = described["incarnation"]
        self.memory: int = described.get("memory", 0)
        self.processor: float = described.get("processor", 0.0)

    def request(
        self,
        service: str,
        command: str,
        fields: Mapping[str, Any] | None = None,
        arrays: tuple[tuple[str, Any], ...] = (),
        blobs: tuple[bytes, ...] = (),
    ) -> Future[Message]:
        """Asks a service of the worker; the future has the answer, which may tell of an error."""
        asked = {**(fields or {}), "service": service, "command": command}
        message = Message(KIND, asked, arrays, blobs=blobs)
        return self._link.request(self.address, message, f"{service}.{command} by {self.name}")

    def call(
        self,
        service: str,
        command: str,
        fields: Mapping[str, Any] | None = None,
        arrays: tuple[tuple[str, Any], ...] = (),
        blobs: tuple[bytes, ...] = (),
        seconds: float = 30.0,
    ) -> Message:
        """Asks a service of the worker and waits for the answer.

        Raises:
          OpError: what the command raised; UnavailableError of a worker that is gone,
            DeadlineExceededError of one that takes more than `seconds`.
        """
        answer = self.request(service, command, fields, arrays, blobs)
        try:
            return checked(answer.result(seconds), f"worker {self.name}")
        except TimeoutError:
            answer.cancel()
            raise DeadlineExceededError(
                None,
                None,
                f"Worker {self.name} at {self.address} has not answered {service}.{command} "
                f"for {seconds} s",
            ) from None

    def __repr__(self) -> str:
        return f"<Worker {self.index} of process {self.pid} on {self.host}, {self.address}>"
