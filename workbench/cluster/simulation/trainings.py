"""Simulated trainings with parameter servers, as gradients a second that count."""

from __future__ import annotations

from collections import deque

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

    A worker that is late finishes what it does, which is dropped. Each step gives a token to each
    worker; one that takes several in a step gives several gradients for it. The first worker's
    process has each step applied, beside its own work.
    """
    run = _Synchronous(costs, workers, backups, 0, seed)
    seconds, _ = run.measure(steps)
    return steps * run.needed / seconds


def synchronous_turns(costs: TrainingCosts, workers: int, steps: int = 100, seed: int = 0) -> float:
    """Steps of workers a second, as `SyncReplicasOptimizer` has them taken.

    It gives the workers tokens before the first step, so that each may be at its next gradient
    while the last step is applied. That gradient counts where it still comes in time.
    """
    seconds, turns = _Synchronous(costs, workers, 0, workers, seed).measure(steps)
    return turns / seconds


class _Synchronous:
    """What the server knows of a synchronous training."""

    def __init__(
        self, costs: TrainingCosts, workers: int, backups: int, tokens: int, seed: int
    ) -> None:
        if not 0 <= backups < workers:
            raise ValueError(f"There are {workers} workers: {backups} backups are too many")
        self.needed = workers - backups
        self._cluster = Cluster(costs, workers, seed)
        #: The step that gradients are taken for, and how many were applied.
        self._step = self._applied = 0
        self._arrived = self._turns = 0
        self._is_chief_ready = False
        #: The steps that workers may go on with, which workers wait for one, and what each has.
        self._tokens = deque([0] * tokens)
        self._waiting: deque[int] = deque()
        self._local = [0] * workers

    def measure(self, steps: int) -> tuple[float, int]:
        """The seconds of so many steps after the first, and the turns of workers in them."""
        simulation = self._cluster.simulation
        for number in range(len(self._local)):
            self._begin(number)
        self._have_chief_wait()
        simulation.run(lambda: self._applied >= 1)
        since, turns = simulation.now, self._turns
        simulation.run(lambda: self._applied >= steps + 1)
        return simulation.now - since, self._turns - turns

    def _begin(self, number: int) -> None:
        cluster = self._cluster
        add = cluster.costs.accumulate * cluster.share

        def arrive() -> None:
            if self._local[number] < self._step:
                self._take_token(number)
            else:
                cluster.server.compute(add, lambda: self._accumulated(number))

        cluster.give_gradient(number, arrive)

    def _accumulated(self, number: int) -> None:
        # It may have become late meanwhile.
        self._arrived += self._local[number] >= self._step
        self._apply_if_complete()
        self._take_token(number)

    def _take_token(self, number: int) -> None:
        self._waiting.append(number)
        self._give_tokens()

    def _give_tokens(self) -> None:
        while self._tokens and self._waiting:
            number = self._waiting.popleft()
            self._local[number] = self._tokens.popleft()
            self._turns += 1
            self._cluster.end_step(number, lambda number=number: self._begin(number))  # type: ignore[misc]

    def _have_chief_wait(self) -> None:
        """The server begins with the chief's step, which waits for the gradients."""

        def ready() -> None:
            self._is_chief_ready = True
            self._apply_if_complete()

        self._cluster.server.interpret(self._cluster.costs.chief_server / 2, ready)

    def _apply_if_complete(self) -> None:
        if not self._is_chief_ready or self._arrived < self.needed:
            return
        self._is_chief_ready = False
        self._step, self._arrived = self._step + 1, 0
        cluster, costs = self._cluster, self._cluster.costs
        apply = costs.apply * cluster.share
        cluster.server.interpret(
            costs.chief_server / 2, lambda: cluster.server.compute(apply, self._end)
        )

    def _end(self) -> None:
        """The step is applied: all may go on with the next, and the chief hears of it."""
        self._applied += 1
        self._tokens.extend([self._step] * len(self._local))
        self._give_tokens()
        cluster = self._cluster

        def again() -> None:
            chief = cluster.workers[0]
            chief.interpret(cluster.costs.chief_worker, lambda: cluster.hop(self._have_chief_wait))

        cluster.hop(again)
