"""This process's connection to a pool: its control plane, and the wire to its workers."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.keys import Keys as WireKeys
from workbench.cluster.wire.keys import use_keys
from workbench.cluster.wire.message import Message
from workbench.core.errors import UnavailableError
from workbench.pool.errors import PoolError
from workbench.pool.keys import Keys

#: How long the scheduler may take for an answer, in seconds.
ANSWER_SECONDS = 10.0


class Link:
    """A client of a pool's scheduler, and an end of the wire.

    Args:
      address: the scheduler's.
      keys: what it and we show each other; None for a connection within this machine.
      seconds: how long it may take to connect.
    """

    def __init__(self, address: str, keys: Keys | None, seconds: float = ANSWER_SECONDS) -> None:
        from workbench.pool.dask_client import make_client

        self.address = address
        security = None if keys is None else keys.security()
        try:
            self._client = make_client(address, security, seconds)
        except (OSError, ValueError) as error:
            why = _reason(error, keys is not None)
            raise PoolError(f"The scheduler at {address} cannot be reached: {why}") from None
        self._endpoint: Endpoint | None = None
        self._lock = threading.Lock()
        #: The workers' addresses at which this process shows the pool's keys.
        self._shown: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether the scheduler is there."""
        return bool(self._client.status == "running")

    @property
    def is_over(self) -> bool:
        """Whether it has been given up."""
        return self._client.status in ("closing", "closed", "failed")

    @property
    def lost_since(self) -> float | None:
        """Since when there is no connection to it, by the monotonic clock; None while there is."""
        return self._client.lost_since

    def register(self, *plugins: Any) -> None:
        """Gives the pool our plugins, where it has none of them."""
        for plugin in plugins:
            self._client.register_plugin(plugin)

    def ask(self, command: str, **arguments: Any) -> Any:
        """What the scheduler answers to a command. PoolError where it says nothing."""

        async def asked() -> Any:
            return await getattr(self._client.scheduler, f"workbench_{command}")(**arguments)

        from workbench.pool.dask_client import ours

        try:
            with ours():
                return self._client.sync(asked, callback_timeout=ANSWER_SECONDS)
        except (OSError, TimeoutError, RuntimeError) as error:
            # A client that was closed has no loop any more, and says so in many ways.
            if isinstance(error, RuntimeError) and not self.is_over:
                raise
            raise PoolError(
                f"The scheduler at {self.address} does not answer {command!r}: "
                f"{str(error) or type(error).__name__}"
            ) from None

    def subscribe(self, topic: str, told: Callable[[Any], None]) -> None:
        """Has `told` called with what the scheduler says about a topic, in the link's thread."""
        self._client.subscribe_topic(topic, lambda event: told(event[1]))

    def unsubscribe(self, topic: str) -> None:
        """Ends that."""
        self._client.unsubscribe_topic(topic)

    def wire_keys(self) -> WireKeys | None:
        """The keys of the wire to the workers; None where it has none."""
        found = self.ask("keys")
        return None if found is None else WireKeys(**found)

    def show_keys(self, addresses: Iterable[str]) -> None:
        """Has sessions of this process show the pool's keys where its workers are, and only there.

        A process may use pools that have keys, each its own, and pools that have none.
        """
        new = set(addresses) - self._shown
        if new:
            use_keys(self.wire_keys(), sorted(new))
            self._shown |= new

    def request(self, address: str, message: Message, about: str) -> Future[Message]:
        """Asks a worker's runtime. UnavailableError where the pool is gone, or was left."""
        with self._lock:
            if self._endpoint is None:
                try:
                    keys = self.wire_keys()
                except PoolError as error:
                    raise UnavailableError(None, None, str(error)) from None
                self._endpoint = Endpoint(None, lambda sender, message: None, keys=keys)
            endpoint = self._endpoint
        return endpoint.request(address, message, about)

    def close(self) -> None:
        """Leaves the pool as it is."""
        with self._lock:
            endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None:
            endpoint.close()
        from workbench.pool.dask_client import ours

        with ours():
            self._client.close(timeout=2)


def _reason(error: BaseException, has_keys: bool) -> str:
    """Why there is no connection to a scheduler, by what Dask says of it."""
    text = str(error) or type(error).__name__
    if "certificate" in text or isinstance(error, ssl.SSLError):
        return (
            "its keys are not those that were given, or theirs is out of date "
            "(wb.pool.connect(address, keys=FOLDER))"
        )
    if "cannot convert to SSL" in text or "WRONG_VERSION_NUMBER" in text:
        return "it does not speak TLS: is it one without keys, at tcp://?"
    if has_keys and text == "FatalCommClosedError":
        return "it ends the connection at once: is it one without keys, at tcp://?"
    if not has_keys and "ConnectionResetError" in text:
        return "it ends the connection at once: does it need keys, at tls://?"
    return text
