"""A view without a browser: what it was sent, and a hub whose publisher the test can wait for."""

from __future__ import annotations

import threading
from typing import Any

from workbench.notebook.connection import Connection
from workbench.notebook.hub import Hub

DEADLINE = 20.0


class FakeView:
    """A connected view that keeps what it receives."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._arrived = threading.Condition()
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []
        self.broken = False
        self._ids = 0
        self.connection: Connection = hub.connect("fake", self._take)

    def _take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        if self.broken:
            raise ConnectionError("the page is gone")
        with self._arrived:
            self.messages.append((message, buffers))
            self._arrived.notify_all()

    def settle(self) -> None:
        """Waits until everything posted so far was sent."""
        done = threading.Event()
        self._hub.publisher.post(done.set)
        assert done.wait(DEADLINE)

    def wait(self, accept: Any, seconds: float = DEADLINE) -> tuple[dict[str, Any], list[bytes]]:
        """The first message that `accept` takes."""

        def found() -> Any:
            return next((m for m in self.messages if accept(m[0])), None)

        with self._arrived:
            assert self._arrived.wait_for(found, seconds), [m for m, _ in self.messages]
            return found()  # type: ignore[no-any-return]

    def ask(self, method: str, **params: Any) -> tuple[dict[str, Any], list[bytes]]:
        """The answer to a request, with its buffers."""
        self._ids += 1
        identity = self._ids
        self.connection.receive({"id": identity, "method": method, "params": params})
        return self.wait(lambda m: m.get("id") == identity)

    def result(self, method: str, **params: Any) -> Any:
        """The result of a request, which must not be refused."""
        message, _ = self.ask(method, **params)
        assert "error" not in message, message
        return message["result"]

    def error(self, method: str, **params: Any) -> Any:
        """The error of a request, which must be refused."""
        return self.ask(method, **params)[0]["error"]

    def notifications(self, method: str) -> list[tuple[dict[str, Any], list[bytes]]]:
        """The notifications of a kind so far: parameters and buffers."""
        return [(m["params"], b) for m, b in list(self.messages) if m.get("method") == method]
