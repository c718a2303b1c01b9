"""Pools and logs of workers, sent to a view as they change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.pool.errors import PoolError

if TYPE_CHECKING:
    from workbench.notebook.connection import Connection
    from workbench.pool.statistics.overview import Overview

#: Seconds between two notifications about pools.
_INTERVAL = 0.5


class PoolsFeed:
    """Sends all pools, with what their workers use and do; the workers measure while it does."""

    def __init__(self, connection: Connection, overview: Overview) -> None:
        self._connection = connection
        self._overview = overview
        # Before the first look nothing is known, and that there are no pools is not said.
        self._told = 0
        self._due = 0.0
        self._leave = overview.look()

    def poll(self) -> None:
        """Sends `pools` where something has changed."""
        now, revision = time.monotonic(), self._overview.revision
        if revision == self._told or now < self._due:
            return
        self._told, self._due = revision, now + _INTERVAL
        pools, spans = self._overview.descriptions()
        buffers: list[bytes] = []
        for pool, of_workers in zip(pools, spans, strict=True):
            for worker, rows in zip(pool["workers"], of_workers, strict=True):
                worker["spans"] = len(buffers)
                buffers.append(np.ascontiguousarray(rows, "<f8").tobytes())
        self._connection.notify("pools", {"pools": pools}, buffers)

    def close(self) -> None:
        """The view looks no more."""
        self._leave()


class LogFeed:
    """Sends the lines of a log: those that are kept, then those that come."""

    def __init__(
        self, connection: Connection, overview: Overview, pool: str, worker: int | None
    ) -> None:
        self._connection, self._overview = connection, overview
        self._pool, self._worker = pool, worker
        self._tail: Any = None
        self._life, self._number = -1, 0
        # Workers are asked for their lines with the rest.
        self._leave = overview.look()

    def poll(self) -> None:
        """Sends `log` where there are further lines."""
        self._follow()
        if self._tail is None:
            return
        life, first, lines = self._tail.since(self._life, self._number)
        if not lines and life == self._life:
            return
        params = {"pool": self._pool, "worker": self._worker, "first": first, "lines": lines}
        if life != self._life:
            params["reset"] = True
        self._life, self._number = life, first + len(lines)
        self._connection.notify("log", params)

    def _follow(self) -> None:
        """Takes the log that there is now: a pool may have been started again since."""
        try:
            tail = self._overview.log(self._pool, self._worker)
        except PoolError:
            return
        if tail is not self._tail:
            self._forget()
            self._tail, self._life = tail, -1
            tail.followers += 1

    def _forget(self) -> None:
        if self._tail is not None:
            self._tail.followers -= 1
            self._tail = None

    def close(self) -> None:
        """The view looks no more."""
        self._forget()
        self._leave()
