"""The replicas of a worker that follow runs which others lead."""

from __future__ import annotations

import threading
import time
from typing import Any

from workbench.pool.runs.replicas.follower import Follower

#: How long one may take to come to the end of its step, in seconds.
_LEAVE_SECONDS = 5.0


class Followers:
    """They are found by the ids of their runs; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_run: dict[str, Follower] = {}

    def __len__(self) -> int:
        with self._lock:
            return len(self._by_run)

    def __contains__(self, run: object) -> bool:
        with self._lock:
            return run in self._by_run

    def get(self, run: str) -> Follower | None:
        """The one of a run."""
        with self._lock:
            return self._by_run.get(run)

    def start(self, run: str, follower: Follower) -> None:
        """One more, which begins."""
        with self._lock:
            self._by_run[run] = follower
        follower.start()

    def forget(self, run: str) -> None:
        """One follows no more."""
        with self._lock:
            self._by_run.pop(run, None)

    @property
    def at_a_glance(self) -> list[dict[str, Any]]:
        """What is to be seen of the runs."""
        with self._lock:
            followers = list(self._by_run.items())
        return [
            {
                "run": run,
                "name": f.name,
                "state": f.known.state,
                "step": f.engine.step,
                "steps": None,
                "rate": f.board.own_pace.get("rate"),
                "joins": f.board.own_pace.get("state", "joining") == "joining",
            }
            for run, f in followers
        ]

    def close(self) -> None:
        """All leave, between two steps."""
        with self._lock:
            followers = list(self._by_run.values())
        deadline = time.monotonic() + _LEAVE_SECONDS
        for follower in followers:
            follower.leave(max(deadline - time.monotonic(), 0.0))
