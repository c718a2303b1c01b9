"""The runs of a pool, and the ways to the workers that have them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from workbench.pool.link import Link
from workbench.pool.worker import Worker

if TYPE_CHECKING:
    from workbench.live.acknowledgement import Acknowledgement
    from workbench.live.commands import Fork
    from workbench.pool.runs.place import Place, WorkerPlace
    from workbench.pool.runs.remote_run import RemoteRun


class RunPlaces(ABC):
    """What runs need of a pool."""

    @property
    @abstractmethod
    def workers(self) -> list[Worker]:
        """The workers that serve now, by their numbers."""

    @abstractmethod
    def _linked(self) -> Link:
        """The connection to the pool. PoolError where there is none."""

    def start_run(self, spec: Any, **options: Any) -> RemoteRun:
        """Begins a run on the worker that has the fewest; `wb.run(..., pool=pool)` calls it."""
        from workbench.pool.runs.dispatch import start_run

        return start_run(self.places(), spec, pool=self, **options)

    def send_fork(self, run: Any, command: Fork) -> Acknowledgement:
        """Begins a fork of a run of this process; `run.fork(..., pool=pool)` calls it."""
        from workbench.pool.runs.carrying import from_here, send_offspring

        return send_offspring(run, command, from_here)

    def runs(self) -> list[RemoteRun]:
        """The runs of the workers, the oldest first: to be read, steered and shown from here."""
        from workbench.pool.runs.dispatch import runs_of

        return runs_of(self.places(), self)

    def boards(self) -> str:
        """Where the workers that train a run together learn of each other."""
        return str(self._linked().ask("boards"))

    def leader_of(self, run: str) -> str | None:
        """The address of the worker that leads a run of several; None where there is none."""
        found = self._linked().ask("leader", run=run)
        return None if found is None else str(found)

    def place_at(self, address: str) -> Place | None:
        """The way to the runs of the worker at an address; None where it is not there."""
        found = [p for p in self.places() if p.address == address]
        return found[0] if found else None

    def places(self) -> list[WorkerPlace]:
        """The ways to the runs of the workers."""
        from workbench.pool.runs.place import WorkerPlace

        return [WorkerPlace(self, worker) for worker in self.workers]
