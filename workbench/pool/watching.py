"""Those who watch who joins a pool and who leaves it."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.pool.membership import Change, Member

#: Changes that a watch keeps for one who does not ask; the oldest go first.
_MOST_KEPT = 10_000


class Watch:
    """Changes of a pool's membership, in their order."""

    def __init__(self, callback: Callable[[Change], object] | None, ended: Any) -> None:
        self._callback = callback
        self._ended = ended
        self._changes: queue.SimpleQueue[Change | None] = queue.SimpleQueue()
        self._is_closed = False

    def next(self, seconds: float) -> Change | None:
        """The next change; None where there is none within `seconds`, or the watch has ended."""
        if self._is_closed and self._changes.empty():
            return None
        try:
            return self._changes.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None

    def until(self, seconds: float) -> Iterator[Change]:
        """The changes of the next `seconds`."""
        deadline = time.monotonic() + seconds
        while (change := self.next(deadline - time.monotonic())) is not None:
            yield change

    def tell(self, change: Change) -> None:
        """A change has happened."""
        if self._callback is not None:
            self._callback(change)
            return
        while self._changes.qsize() >= _MOST_KEPT:
            with contextlib.suppress(queue.Empty):
                self._changes.get_nowait()
        self._changes.put(change)

    def close(self) -> None:
        """Ends the watch; whoever waits for a change gets None."""
        if not self._is_closed:
            self._is_closed = True
            self._changes.put(None)
            self._ended(self)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Watches:
    """The watches of a pool; a failing callback does not keep others from being told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: list[Watch] = []

    def add(self, callback: Callable[[Change], object] | None) -> Watch:
        """Another watch."""
        watch = Watch(callback, self._remove)
        with self._lock:
            self._watches.append(watch)
        return watch

    def told(self, described: Mapping[str, Any]) -> None:
        """The control plane told of a change."""
        facts = dict(described["worker"])
        named = {key: facts.pop(key) for key in _MEMBER}
        change = Change(described["epoch"], described["kind"], Member(**named, facts=facts))
        with self._lock:
            watches = list(self._watches)
        for watch in watches:
            try:
                watch.tell(change)
            except Exception:
                _report()

    def _remove(self, watch: Watch) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._watches.remove(watch)

    def close(self) -> None:
        """Ends all."""
        with self._lock:
            watches = list(self._watches)
        for watch in watches:
            watch.close()


_MEMBER = ("control", "name", "index", "address", "incarnation")


def _report() -> None:
    import logging

    logging.getLogger("workbench.pool").exception("A callback of pool.watch failed")
