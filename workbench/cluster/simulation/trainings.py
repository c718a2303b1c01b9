"""Simulated trainings with parameter servers, as gradients a second that count."""

from __future__ import annotations

from workbench.cluster.simulation.cluster import Cluster
from workbench.cluster.simulation.costs import TrainingCosts


def asynchronous(
    costs: TrainingCosts, workers: int, updates: int | None = None, seed: int = 0
) -> float:
    """Updates a second where each worker goes on as soon as its gradient is applied.

    `updates` are how many are simulated, by default 40 for each worker, after a few that begin it.
    """
    cluster, done = Cluster(costs, workers, seed), 0
    begun, wanted = 4 * workers, updates or 40 * workers

    def begin(number: int) -> None:
        cluster.give_gradient(number, lambda: apply(number))

    def apply(number: int) -> None:
        cluster.server.compute(costs.apply * cluster.share, lambda: applied(number))

    def applied(number: int) -> None:
        nonlocal done
        done += 1
        cluster.end_step(number, lambda: begin(number))

    for number in range(workers):
        begin(number)
    cluster.simulation.run(lambda: done >= begun)
    since, first = cluster.simulation.now, done
    cluster.simulation.run(lambda: done >= begun + wanted)
    return (done - first) / (cluster.simulation.now - since)


def synchronous(
    costs: TrainingCosts, workers: int, backups: int = 0, steps: int = 100, seed: int = 0
) -> float:
    """Gradients a second that count, where each step takes the first `workers - backups`.

    A worker that is late finishes what it does, which is dropped, and takes part in the step of
    that time. The first worker's process has each step applied, beside its own work.
    """
    if not 0 <= backups < workers:
        raise ValueError(f"There are {workers} workers: {backups} backups are too many")
    run = _Synchronous(Cluster(costs, workers, seed), workers - backups)
    for number in range(workers):
        run.begin(number)
    run.ready_chief()
    run.cluster.simulation.run(lambda: run.step >= 1)
    since = run.cluster.simulation.now
    run.cluster.simulation.run(lambda: run.step >= steps + 1)
    return steps * run.needed / (run.cluster.simulation.now - since)


class _Synchronous:
    """What the server knows of a synchronous training."""

    def __init__(self, cluster: Cluster, needed: int) -> None:
        self.cluster, self.needed = cluster, needed
        self.step = 0
        self._arrived = 0
        self._is_chief_ready = False
        #: Workers that wait for the next step.
        self._waiting: list[int] = []

    def begin(self, number: int) -> None:
        """A worker begins with what is the step now."""
        step = self.step
        self.cluster.give_gradient(number, lambda: self._arrive(number, step))

    def _arrive(self, number: int, step: int) -> None:
        if step != self.step:
            self._go_on(number)
            return
        cluster = self.cluster
        cluster.server.compute(
            cluster.costs.accumulate * cluster.share, lambda: self._accumulated(number, step)
        )

    def _accumulated(self, number: int, step: int) -> None:
        if step != self.step:
            self._go_on(number)
            return
        self._arrived += 1
        self._waiting.append(number)
        self._apply_if_complete()

    def _go_on(self, number: int) -> None:
        self.cluster.end_step(number, lambda: self.begin(number))

    def ready_chief(self) -> None:
        """The chief waits for the gradients of a step."""
        self._is_chief_ready = True
        self._apply_if_complete()

    def _apply_if_complete(self) -> None:
        if not self._is_chief_ready or self._arrived < self.needed:
            return
        self._is_chief_ready = False
        cluster, costs = self.cluster, self.cluster.costs
        apply = costs.apply * cluster.share
        cluster.server.interpret(
            costs.chief_server, lambda: cluster.server.compute(apply, self._applied)
        )

    def _applied(self) -> None:
        self.step, self._arrived = self.step + 1, 0
        waiting, self._waiting = self._waiting, []
        for number in waiting:
            self._go_on(number)
        cluster = self.cluster

        def again() -> None:
            chief = cluster.workers[0]
            chief.interpret(cluster.costs.chief_worker, lambda: cluster.hop(self.ready_chief))

        cluster.hop(again)
