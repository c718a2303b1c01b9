"""The membership of a pool, kept where the control plane sees workers come and go."""

from __future__ import annotations

import time
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

from workbench.pool.counts import check_counts
from workbench.pool.guard import guard
from workbench.pool.membership import Change, Membership
from workbench.pool.pace import Lives
from workbench.pool.run_boards import RunBoards

#: The topics under which changes of the membership, and wishes to scale, are told.
CHANGES = "workbench-changes"
WISHES = "workbench-wishes"


class MembershipPlugin(SchedulerPlugin):
    """Numbers workers, knows which of them serve, and tells those who watch.

    A worker that dies again and again as soon as it serves waits before it serves again.

    Args:
      pool: the pool's name.
      devices: how many CPU devices each worker has.
      can_scale: whether somebody listens to wishes.
      wire: the keys of the wire, which workers and those who use the pool get over this, the
        control plane; None for a wire without, within one machine.
      directory: the folder in which workers are to look for files; None for their own.
    """

    name = "workbench-membership"
    idempotent = True

    def __init__(
        self,
        pool: str,
        devices: int = 1,
        can_scale: bool = False,
        wire: dict[str, str] | None = None,
        directory: str | None = None,
    ) -> None:
        self._pool = pool
        self._devices = devices
        self._can_scale = can_scale
        self._wire = wire
        self._directory = directory
        self._membership = Membership()
        self._lives = Lives()
        self._boards = RunBoards(wire, self._membership.in_order)
        #: How many workers are wanted, by the how manyth wish, and what the keeper fails at.
        self._wanted: int | None = None
        self._wish = 0
        self._problem = ""
        self._scheduler: Any = None

    async def start(self, scheduler: Any) -> None:
        """Answers what workers and pools ask."""
        guard()
        self._scheduler = scheduler
        scheduler.handlers["workbench_enter"] = self._enter
        scheduler.handlers["workbench_serve"] = self._serve
        scheduler.handlers["workbench_status"] = self._status
        scheduler.handlers["workbench_scale"] = self._scale
        scheduler.handlers["workbench_keys"] = self._keys
        scheduler.handlers["workbench_told"] = self._keeper_told
        self._boards.serve(scheduler)

    async def close(self) -> None:
        """The scheduler ends."""
        await self._boards.close()

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """A worker has gone."""
        name = self._membership.name_of(worker)
        if name is not None:
            if self._wanted is not None and len(self._membership.in_order()) > self._wanted:
                self._lives.retired(name)
            else:
                self._lives.ended(name, time.monotonic())
        self._tell(self._membership.leave(worker))

    async def _enter(self, worker: str, name: str) -> dict[str, Any]:
        index = self._membership.enter(worker, name)
        return {
            "pool": self._pool,
            "index": index,
            "devices": self._devices,
            "wire": self._wire,
            "directory": self._directory,
            "wait": self._lives.wait(name, time.monotonic()),
        }

    async def _keeper_told(self, wish: int, wanted: int, problem: str) -> None:
        # Of an earlier wish nobody wants to know.
        if wish == self._wish:
            self._wanted, self._problem = wanted, problem

    async def _keys(self) -> dict[str, str] | None:
        return self._wire

    async def _serve(
        self, worker: str, address: str, incarnation: int, facts: dict[str, Any]
    ) -> None:
        change = self._membership.serve(worker, address, incarnation, facts)
        if change is not None:
            self._lives.began(change.member.name, time.monotonic())
        self._tell(change)

    async def _status(self) -> dict[str, Any]:
        from workbench import __version__

        workers = []
        for member in self._membership.in_order():
            known = self._scheduler.workers.get(member.control)
            metrics = {} if known is None else known.metrics
            described = member.description()
            described["threads"] = 0 if known is None else known.nthreads
            described["memory"] = int(metrics.get("memory", 0))
            described["processor"] = float(metrics.get("cpu", 0.0))
            workers.append(described)
        return {
            "pool": self._pool,
            "version": __version__,
            "epoch": self._membership.epoch,
            "can_scale": self._can_scale,
            "wanted": self._wanted,
            "wish": self._wish,
            "problem": self._problem,
            "waiting": self._waiting(),
            "workers": workers,
        }

    def _waiting(self) -> list[dict[str, Any]]:
        """The workers that start, with how often their like died early and how long they wait."""
        now = time.monotonic()
        return [
            {
                "name": name,
                "index": index,
                "deaths": self._lives.deaths(name),
                "seconds": self._lives.wait(name, now),
            }
            for name, index in self._membership.waiting()
        ]

    async def _scale(self, workers: int) -> int:
        """The number of the wish; 0 where nobody fulfils any. ValueError for what none can."""
        check_counts(workers)
        if not self._can_scale:
            return 0
        self._wish += 1
        self._wanted, self._problem = int(workers), ""
        self._scheduler.log_event(WISHES, {"workers": self._wanted, "wish": self._wish})
        return self._wish

    def _tell(self, change: Change | None) -> None:
        if change is not None:
            self._scheduler.log_event(CHANGES, change.description())
            self._boards.told(change)
