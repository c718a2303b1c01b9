"""Sessions whose master is a server of another process."""

from __future__ import annotations

import atexit
import itertools
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.cluster.master.limits import cancelling, seconds_left
from workbench.cluster.master.tasks import checked
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.core import errors
from workbench.core.plan.partition.parts import Part

#: How long a server may take for what is no step, in seconds.
_SECONDS = 120.0

_lock = threading.Lock()
_endpoint: Endpoint | None = None


def _shared_endpoint() -> Endpoint:
    """The endpoint of this process's clients, made on first use and closed at its end."""
    global _endpoint
    with _lock:
        if _endpoint is None:
            _endpoint = Endpoint(None, lambda sender, message: None)
            atexit.register(_endpoint.close)
        return _endpoint


def _ask(address: str, message: Message, about: str, seconds: float | None) -> Message:
    answer = _shared_endpoint().request(address, message, about)
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
        self._address = address
        blob = config.SerializeToString() if config is not None else b""
        begun = _ask(address, Message("begin", blobs=(blob,)), "the start of a session", _SECONDS)
        self._session = str(begun.fields["session"])
        self.devices = [str(d) for d in begun.fields["devices"]]
        self._is_closed = False
        self._tokens = itertools.count(1)

    def register(self, parts: Sequence[Part]) -> int:
        """Tells the tasks of a step; the number that it is run by."""
        fields = {"session": self._session, "parts": [p.description() for p in parts]}
        message = Message("prepare", fields, blobs=[p.graph for p in parts])
        handle = _ask(self._address, message, "the preparation of a step", _SECONDS).fields[
            "handle"
        ]
        return int(handle)

    def run(self, handle: int, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Runs a step; what the user gets of it, by the tensors' names."""
        if self._is_closed:
            raise errors.CancelledError(None, None, "Session has been closed.")
        seconds = seconds_left()
        token = next(self._tokens)
        fields = {"session": self._session, "handle": handle, "token": token, "seconds": seconds}
        message = Message("step", fields, tuple(feeds.items()))
        # The server ends the step at its deadline, and says what was awaited.
        patience = None if seconds is None else seconds + 5.0
        try:
            with cancelling(lambda: self._cancel(token)):
                return dict(_ask(self._address, message, "a step", patience).arrays)
        except KeyboardInterrupt:
            self._cancel(token)
            raise

    def _cancel(self, token: int) -> None:
        fields = {"session": self._session, "token": token}
        _shared_endpoint().send(self._address, Message("cancel", fields))

    def close(self) -> None:
        """The session ends. Variables and queues stay."""
        if not self._is_closed:
            self._is_closed = True
            _shared_endpoint().send(self._address, Message("end", {"session": self._session}))


def reset_server(address: str, containers: Sequence[str]) -> None:
    """Forgets the containers of all tasks of the cluster of a server."""
    _ask(address, Message("reset", {"containers": list(containers)}), "the reset", _SECONDS)
