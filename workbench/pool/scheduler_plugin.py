"""The membership of a pool, kept where the control plane sees workers come and go."""

from __future__ import annotations

from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

from workbench.pool.membership import Change, Membership

#: The topics under which changes of the membership, and wishes to scale, are told.
CHANGES = "workbench-changes"
WISHES = "workbench-wishes"


class MembershipPlugin(SchedulerPlugin):
    """Numbers workers, knows which of them serve, and tells those who watch.

    Args:
      pool: the pool's name.
      devices: how many CPU devices each worker has.
      can_scale: whether somebody listens to wishes.
      wire: the keys of the wire, which workers and those who use the pool get over this, the
        control plane; None for a wire without, within one machine.
    """

    name = "workbench-membership"
    idempotent = True

    def __init__(
        self,
        pool: str,
        devices: int = 1,
        can_scale: bool = False,
        wire: dict[str, str] | None = None,
    ) -> None:
        self._pool = pool
        self._devices = devices
        self._can_scale = can_scale
        self._wire = wire
        self._membership = Membership()
        self._scheduler: Any = None

    async def start(self, scheduler: Any) -> None:
        """Answers what workers and pools ask."""
        self._scheduler = scheduler
        scheduler.handlers["workbench_enter"] = self._enter
        scheduler.handlers["workbench_serve"] = self._serve
        scheduler.handlers["workbench_status"] = self._status
        scheduler.handlers["workbench_scale"] = self._scale
        scheduler.handlers["workbench_keys"] = self._keys

    def remove_worker(self, scheduler: Any, worker: str, **kwargs: Any) -> None:
        """A worker has gone."""
        self._tell(self._membership.leave(worker))

    async def _enter(self, worker: str, name: str) -> dict[str, Any]:
        index = self._membership.enter(worker, name)
        place = {"pool": self._pool, "index": index, "devices": self._devices}
        return {**place, "wire": self._wire}

    async def _keys(self) -> dict[str, str] | None:
        return self._wire

    async def _serve(
        self, worker: str, address: str, incarnation: int, facts: dict[str, Any]
    ) -> None:
        self._tell(self._membership.serve(worker, address, incarnation, facts))

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
            "workers": workers,
        }

    async def _scale(self, workers: int) -> bool:
        if self._can_scale:
            self._scheduler.log_event(WISHES, {"workers": int(workers)})
        return self._can_scale

    def _tell(self, change: Change | None) -> None:
        if change is not None:
            self._scheduler.log_event(CHANGES, change.description())
