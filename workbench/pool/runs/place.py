"""Where a run is: a worker that answers questions about it, by whatever way it is reached."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Protocol

from workbench.cluster.addresses import canonical
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.core.errors import DeadlineExceededError, UnavailableError
from workbench.pool.runs.errors import error_of

#: The service of a worker that has the runs.
SERVICE = "runs"
_KIND = "service"

_lock = threading.Lock()
_endpoint: Endpoint | None = None


class Place(Protocol):
    """A worker that runs runs."""

    @property
    def name(self) -> str:
        """What it is called in errors."""

    @property
    def loss(self) -> str:
        """Where it is gone with all of its pool: since when, and what to do; "" else."""

    def request(
        self,
        command: str,
        fields: Mapping[str, Any],
        arrays: tuple[tuple[str, Any], ...] = (),
        blobs: tuple[bytes, ...] = (),
    ) -> Future[Message]:
        """Asks; the future has the answer, as it came."""

    def renew(self) -> None:
        """It was silent: looks where it is now."""


class AddressPlace:
    """A worker at an address that stays."""

    loss = ""

    def __init__(self, address: str) -> None:
        self.name = self._address = canonical(address)

    def request(
        self,
        command: str,
        fields: Mapping[str, Any],
        arrays: tuple[tuple[str, Any], ...] = (),
        blobs: tuple[bytes, ...] = (),
    ) -> Future[Message]:
        """Asks; the future has the answer, as it came."""
        message = service_message(command, fields, arrays, blobs)
        return shared_endpoint().request(self._address, message, f"{command} by {self.name}")

    def renew(self) -> None:
        """It stays where it is."""


class WorkerPlace:
    """A worker of a pool, found again under its number when its process was replaced."""

    def __init__(self, pool: Any, worker: Any) -> None:
        self.pool = pool
        self.index: int = worker.index
        self._worker = worker

    @property
    def address(self) -> str:
        """Where the worker's runtime is reached."""
        return canonical(self._worker.address)

    @property
    def name(self) -> str:
        """What it is called in errors."""
        return f"worker {self.index} of pool {self.pool.name!r}"

    @property
    def loss(self) -> str:
        """Where it is gone with all of its pool: since when, and what to do; "" else."""
        return str(self.pool.loss)

    def request(
        self,
        command: str,
        fields: Mapping[str, Any],
        arrays: tuple[tuple[str, Any], ...] = (),
        blobs: tuple[bytes, ...] = (),
    ) -> Future[Message]:
        """Asks; the future has the answer, as it came."""
        found: Future[Message] = self._worker.request(SERVICE, command, fields, arrays, blobs)
        return found

    def renew(self) -> None:
        """Looks which process has the number now."""
        for worker in self.pool.workers:
            if worker.index == self.index:
                self._worker = worker


class LedPlace:
    """Whichever worker leads a run that several train together.

    Args:
      pool: knows who leads it (`leader_of`), and a way to a worker (`place_at`).
      run: the run's id.
      place: the worker that leads it now.
    """

    def __init__(self, pool: Any, run: str, place: Place) -> None:
        self.pool = pool
        self._run = run
        self._place = place

    @property
    def name(self) -> str:
        """What the worker that leads is called in errors."""
        return self._place.name

    @property
    def loss(self) -> str:
        """Where it is gone with all of its pool: since when, and what to do; "" else."""
        return self._place.loss

    @property
    def index(self) -> int | None:
        """The number of the worker that leads."""
        return getattr(self._place, "index", None)

    def request(
        self,
        command: str,
        fields: Mapping[str, Any],
        arrays: tuple[tuple[str, Any], ...] = (),
        blobs: tuple[bytes, ...] = (),
    ) -> Future[Message]:
        """Asks; the future has the answer, as it came."""
        return self._place.request(command, fields, arrays, blobs)

    def renew(self) -> None:
        """Looks who leads now; where nobody is known to, the worker that did may come back."""
        address = self.pool.leader_of(self._run)
        found = None if address is None else self.pool.place_at(address)
        if found is None:
            self._place.renew()
        else:
            self._place = found


def checked(message: Message, graph: Any = None) -> Message:
    """The answer, or what it refuses as an error."""
    if message.kind in ("refused", "error"):
        fields = message.fields.get("refusal") or {"kind": "OpError", **message.fields}
        raise error_of(fields, graph)
    return message


def ask(
    place: Place,
    command: str,
    fields: Mapping[str, Any],
    blobs: tuple[bytes, ...] = (),
    arrays: tuple[tuple[str, Any], ...] = (),
    seconds: float = 30.0,
) -> Message:
    """Asks and waits for the answer.

    Raises:
      DeadlineExceededError: there is none within `seconds`.
      UnavailableError: the worker is silent.
      Exception: what it refuses.
    """
    answer = place.request(command, fields, arrays, blobs)
    try:
        return checked(answer.result(seconds))
    except TimeoutError:
        if answer.done():
            raise
        answer.cancel()
        raise DeadlineExceededError(
            None, None, f"{place.name} has not answered {command!r} for {seconds:g} s"
        ) from None


def is_gone(error: BaseException) -> bool:
    """True where an error says that nobody answers, and asking again may help."""
    return isinstance(error, (UnavailableError, DeadlineExceededError))


def service_message(
    command: str,
    fields: Mapping[str, Any],
    arrays: tuple[tuple[str, Any], ...] = (),
    blobs: tuple[bytes, ...] = (),
) -> Message:
    """A question to the runs of a worker."""
    asked = {**fields, "service": SERVICE, "command": command}
    return Message(_KIND, asked, arrays, blobs=blobs)


def shared_endpoint() -> Endpoint:
    """This process's end of the wire for what has none of its own, closed with the process."""
    global _endpoint
    with _lock:
        if _endpoint is None:
            _endpoint = Endpoint(None, lambda sender, message: None)
            atexit.register(_endpoint.close)
        return _endpoint
