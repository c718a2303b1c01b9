"""Who is told what a run publishes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workbench.live.events import Published

Listener = Callable[[Published], None]


class Listeners:
    """Functions that are called with every event; they come and go in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` from now on; the result ends that."""
        with self._lock:
            self._listeners = [*self._listeners, listener]
        return lambda: self._remove(listener)

    def _remove(self, listener: Listener) -> None:
        with self._lock:
            # A new list: whoever walks through the old one is not disturbed.
            self._listeners = [each for each in self._listeners if each is not listener]

    def tell(self, event: Published) -> list[str]:
        """Tells them all; one that raises is told no more, and the result says so."""
        troubles = []
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # a listener must never hurt the run
                self._remove(listener)
                troubles.append(f"the listener {listener!r} raised {error!r} and is told no more")
        return troubles
