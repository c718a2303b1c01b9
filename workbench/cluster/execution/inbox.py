"""Where a thread waits for what others tell it, and receives meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")


class Receives(Protocol):
    """What receives what others send: the end of the wire."""

    def help(self, is_done: Callable[[], bool], seconds: float | None = None) -> float | None:
        """Receives in this thread until something is done; how many of the seconds are left."""

    def nudge(self) -> None:
        """What a thread that helps waits for may be done."""

    def step_back(self, seconds: float) -> bool:
        """Whether this thread receives, and may do now what takes about so long."""

    def soon(self, work: Callable[[], None]) -> None:
        """Has who receives do something. The caller may hold locks: it is not done here."""

    def forget_feedback(self, prefix: str) -> None:
        """Forgets what encodings have rounded away, for keys that begin with `prefix`."""


class Alone:
    """Where there is no wire: nothing is received."""

    def help(self, is_done: Callable[[], bool], seconds: float | None = None) -> float | None:
        """Does nothing."""
        return seconds

    def nudge(self) -> None:
        """Nobody helps."""

    def step_back(self, seconds: float) -> bool:
        """This thread is somebody else's."""
        return False

    def soon(self, work: Callable[[], None]) -> None:
        """A thread of its own does it, as nobody receives."""
        threading.Thread(target=work, name="workbench-soon", daemon=True).start()

    def forget_feedback(self, prefix: str) -> None:
        """Nothing is encoded."""


class Inbox(Generic[Item]):
    """Items for one thread, put in by any."""

    def __init__(self, receives: Receives) -> None:
        self._receives = receives
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()

    def put(self, item: Item) -> None:
        """One more."""
        self._items.put(item)
        self._receives.nudge()

    def get(self, seconds: float | None = None) -> Item:
        """The next one. queue.Empty where none comes in so many seconds."""
        try:
            return self._items.get_nowait()
        except queue.Empty:
            left = self._receives.help(self._has_some, seconds)
        return self._items.get(timeout=left)

    def is_empty(self) -> bool:
        """Whether there is none."""
        return self._items.empty()

    def _has_some(self) -> bool:
        return not self._items.empty()
