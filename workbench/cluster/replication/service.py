"""The thread that applies what replicas send to a parameter server, one after the other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from workbench.cluster.wire.message import Message

Handle = Callable[[Any, Message], None]


class Service:
    """Hands messages to `handle` in a thread of its own, in the order in which they come.

    What comes is taken by `put`, which does not wait. `close` ends the thread.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._came: queue.SimpleQueue[tuple[Any, Message] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="workbench-parameters", daemon=True)
        self._thread.start()

    def put(self, sender: Any, message: Message) -> None:
        """A message came."""
        self._came.put((sender, message))

    def _work(self) -> None:
        while True:
            came = self._came.get()
            if came is None:
                return
            self._handle(*came)

    def close(self) -> None:
        """Nothing is handled any more, once what is under way is over."""
        self._came.put(None)
        self._thread.join(30)
