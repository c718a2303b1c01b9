"""Sessions whose master is a server of another process."""

from __future__ import annotations

import atexit
import itertools
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any

from workbench.cluster.client_keeper import ClientKeeper
from workbench.cluster.commands import reading
from workbench.cluster.keeper import lost
from workbench.cluster.master.limits import cancelling, seconds_left
from workbench.cluster.master.tasks import VERSION, checked
from workbench.cluster.session_options import blob_of
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.core import errors
from workbench.core.plan.partition.parts import Part
from workbench.core.runtime.targets import seconds_of

#: How long a server may take for what is no step, in seconds.
_SECONDS = 120.0

_lock = threading.Lock()
_endpoint: Endpoint | None = None
_keeper: ClientKeeper | None = None


def _shared_endpoint() -> Endpoint:
    """The endpoint of this process's clients, made on first use and closed at its end."""
    global _endpoint
    with _lock:
        if _endpoint is None:
            _endpoint = Endpoint(None, lambda sender, message: None)
            atexit.register(_endpoint.close)
        return _endpoint


def _shared_keeper() -> ClientKeeper:
    """What speaks of this process's sessions to their servers."""
    global _keeper
    endpoint = _shared_endpoint()
    with _lock:
        if _keeper is None:
            _keeper = ClientKeeper(lambda at, m: endpoint.request(at, m, "a sign"))
            atexit.register(_keeper.stop)
        return _keeper


def _ask(address: str, message: Message, about: str, seconds: float | None) -> Message:
    endpoint = _shared_endpoint()
    with endpoint.held():
        return _awaited(endpoint.request(address, message, about), address, about, seconds)


def _awaited(answer: Future[Message], address: str, about: str, seconds: float | None) -> Message:
    try:
        return checked(answer.result(seconds), address)
    except TimeoutError:
        raise errors.DeadlineExceededError(
            None, None, f"{address} did not answer within {seconds:.1f} s; awaited was {about}"
        ) from None


class RemoteMaster:
    """A session that a server leads.

    Args:
      address: where the server is reached.
      config: the session's `ConfigProto`, or None.
    """

    def __init__(self, address: str, config: Any) -> None:
        self.address = address
        begun = _ask(
            address,
            Message("begin", {"version": VERSION}, blobs=(blob_of(config),)),
            "the start of a session",
            seconds_of(config) or _SECONDS,
        )
        #: With what the server says for all of its sessions.
        self.config = reading.config(begun)
        self.name = str(begun.fields["session"])
        self.devices = [str(d) for d in begun.fields["devices"]]
        self._is_closed = False
        self._tokens = itertools.count(1)
        #: The steps that are not answered yet.
        self._running: set[Future[Message]] = set()
        self._over: errors.OpError | None = None
        _shared_keeper().add(self)

    def register(self, parts: Sequence[Part]) -> int:
        """Tells the tasks of a step; the number that it is run by."""
        fields = {"session": self.name, "parts": [p.description() for p in parts]}
        message = Message("prepare", fields, blobs=[p.graph for p in parts])
        handle = _ask(self.address, message, "the preparation of a step", _SECONDS).fields["handle"]
        return int(handle)

    def check(self) -> None:
        """CancelledError where the session is closed; where lost, the error that says how."""
        if self._over is not None:
            raise self._over
        if self._is_closed:
            raise errors.CancelledError(None, None, "Session::Close: the session has been closed.")

    def run(
        self, handle: int, feeds: Mapping[str, Any], traces: list[bytes] | None = None
    ) -> dict[str, Any]:
        """Runs a step; what the user gets of it, by the tensors' names.

        What the tasks record goes to `traces`, where there is one.
        """
        self.check()
        seconds = seconds_left()
        token = next(self._tokens)
        fields = {"session": self.name, "handle": handle, "token": token, "seconds": seconds}
        if traces is not None:
            fields["traced"] = True
        message = Message("step", fields, tuple(feeds.items()))
        # The server ends the step at its deadline, and says what was awaited.
        patience = None if seconds is None else seconds + 5.0
        answer = _shared_endpoint().request(self.address, message, "a step")
        self._running.add(answer)
        try:
            self.check()
            with cancelling(lambda: self._cancel(token)):
                done = _awaited(answer, self.address, "a step", patience)
        except CancelledError:
            assert self._over is not None
            raise self._over from None
        except KeyboardInterrupt:
            self._cancel(token)
            raise
        finally:
            self._running.discard(answer)
        if traces is not None:
            traces.extend(done.blobs)
        return dict(done.arrays)

    def waiting(self) -> list[list[Any]]:
        """What steps of the session wait for, on all tasks: the fields of `Waiting`."""
        message = Message("whom", {"session": self.name})
        told = _ask(self.address, message, "what its steps wait for", _SECONDS)
        return list(told.fields["waiting"])

    def labels(self, text: str | None) -> list[str]:
        """What the tasks are told of whose their state is, where it is given; what they know."""
        message = Message("labels", {"session": self.name, "text": text})
        told = _ask(self.address, message, "whose the variables are", _SECONDS)
        return [str(label) for label in told.fields["labels"]]

    def lose(self) -> None:
        """The server does not know the session any more: its steps end."""
        self._over = lost(self.address, self.name)
        for answer in list(self._running):
            answer.cancel()

    def _cancel(self, token: int) -> None:
        fields = {"session": self.name, "token": token}
        _shared_endpoint().send(self.address, Message("cancel", fields))

    def close(self) -> None:
        """The session ends. Variables and queues stay."""
        if not self._is_closed:
            self._is_closed = True
            _shared_keeper().remove(self.name)
            _shared_endpoint().send(self.address, Message("end", {"session": self.name}))


def reset_server(address: str, containers: Sequence[str], seconds: float | None = None) -> None:
    """Forgets the containers of all tasks of the cluster of a server, within so many seconds."""
    message = Message("reset", {"containers": list(containers)})
    _ask(address, message, "the reset", _SECONDS if seconds is None else seconds)
