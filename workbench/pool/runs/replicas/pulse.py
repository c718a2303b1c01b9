"""A replica's pace, told to the board a few times a second."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbench.core.errors import OpError
from workbench.core.runtime import activity
from workbench.pool.runs.replicas.board_client import BoardClient

if TYPE_CHECKING:
    from workbench.pool.runs.replicas.engine import ReplicatedEngine

_INTERVAL_SECONDS = 0.5
#: What is awaited for so long is told of.
_LONG_SECONDS = 1.0


class Pulse:
    """Tells how one replica is getting on, in a thread that `close` ends."""

    def __init__(self, engine: ReplicatedEngine, board: BoardClient) -> None:
        self._engine, self._board = engine, board
        self._closed = threading.Event()
        self._last = (time.monotonic(), engine.own_steps)
        self._looked = activity.look()
        self._thread = threading.Thread(
            target=self._main, name=f"workbench-pulse-{board.run}", daemon=True
        )

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    @property
    def replicas(self) -> list[dict[str, Any]]:
        """All replicas, as the board told last."""
        return self._board.paces

    def _main(self) -> None:
        while True:
            # Where the board is gone, whoever takes the steps will meet that too, and says so.
            with suppress(OpError):
                self._board.pace(self._told())
            if self._closed.wait(_INTERVAL_SECONDS):
                return

    def _told(self) -> dict[str, Any]:
        now, taken = time.monotonic(), self._engine.own_steps
        then, before = self._last
        self._last = now, taken
        what, since = self._engine.doing
        seconds = now - since
        return {
            "state": what,
            "step": self._engine.step,
            "rate": (taken - before) / max(now - then, 1e-3),
            "waiting": self._waiting(),
            "seconds": round(seconds, 1) if seconds > _LONG_SECONDS else 0.0,
            "pid": os.getpid(),
        }

    def _waiting(self) -> float:
        """The share of the time since the last word in which it waited for other replicas."""
        before, found = self._looked, activity.look()
        self._looked = found
        if found.since != before.since:
            return 0.0
        waited = found.seconds[activity.WAIT] - before.seconds[activity.WAIT]
        return round(min(max(waited / max(found.now - before.now, 1e-3), 0.0), 1.0), 3)

    def close(self) -> None:
        """Tells no more."""
        self._closed.set()
