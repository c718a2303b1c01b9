"""Simulated trainings with parameter servers, as gradients a second that count."""

from __future__ import annotations

import functools
import random
from collections import deque

from workbench.cluster.simulation.cluster import Cluster
from workbench.cluster.simulation.costs import TrainingCosts
from workbench.cluster.simulation.events import Action
from workbench.cluster.simulation.processors import Turn


def asynchronous(
    costs: TrainingCosts, workers: int, updates: int | None = None, seed: int = 0
) -> float:
    """Updates a second where each worker goes on as soon as its gradient is applied.

    Workers begin one after another within a first step, as they would not stay in step for long.
    `updates` are how many are simulated, by default 40 for each worker, after a few that begin it.
    """
    cluster, done = Cluster(costs, workers, seed), 0
    begun, wanted = 4 * workers, updates or 40 * workers
    step = costs.compute(random.Random(seed))

    def begin(number: int) -> None:
        cluster.ask(number, lambda: cluster.give(number, lambda: applied(number)))

    def applied(number: int) -> None:
        nonlocal done
        done += 1
        cluster.to_worker(number, lambda: begin(number))

    for number in range(workers):
        cluster.simulation.after(step * number / workers, functools.partial(begin, number))
    cluster.simulation.run(lambda: done >= begun)
    since, first = cluster.simulation.now, done
    cluster.simulation.run(lambda: done >= begun + wanted)
    return (done - first) / (cluster.simulation.now - since)


def synchronous(
    costs: TrainingCosts, workers: int, backups: int = 0, steps: int = 100, seed: int = 0
) -> float:
    """Gradients a second that count, where each step takes the first `workers - backups`.

    A worker that is late finishes what it does, which is dropped. As `SyncReplicasOptimizer` has
    it, a worker goes on as soon as the training is at another step than the one it gave a gradient
    for; the first worker's process has each step applied, beside its own work.
    """
    return _Synchronous(costs, workers, backups, seed).rate(steps)


class _Synchronous:
    """What the server knows of a synchronous training. One thread of it does all: who brings what
    a step waits for takes that on."""

    def __init__(self, costs: TrainingCosts, workers: int, backups: int, seed: int) -> None:
        if not 0 <= backups < workers:
            raise ValueError(f"There are {workers} workers: {backups} backups are too many")
        self.needed = workers - backups
        self._cluster = Cluster(costs, workers, seed)
        self._cluster.has_chief = True
        self._together = costs.together
        #: The step that gradients are taken for, and how many were applied.
        self._step = self._applied = 0
        self._arrived = 0
        self._is_chief_ready = False
        #: Which workers wait for the next step, and the step that each has.
        self._waiting: deque[int] = deque()
        self._local = [0] * workers

    def rate(self, steps: int) -> float:
        """Gradients a second that count, over so many steps after the first."""
        simulation = self._cluster.simulation
        for number in range(len(self._local)):
            self._begin(number)
        self._have_next()
        simulation.run(lambda: self._applied >= 1)
        since = simulation.now
        simulation.run(lambda: self._applied >= steps + 1)
        return steps * self.needed / (simulation.now - since)

    def _begin(self, number: int) -> None:
        cluster = self._cluster

        def sent() -> None:
            # The note left the worker right after it had asked.
            cluster.receiver.tell(self._together.note, lambda: None)
            cluster.give(number, lambda: self._arrive(number))

        cluster.ask(number, sent)

    def _arrive(self, number: int) -> None:
        self._arrived += self._local[number] == self._step
        self._waiting.append(number)
        following = self._apply_if_complete()
        if not following and self._local[number] < self._applied:
            # It was late, and need not wait.
            self._waiting.remove(number)
            following = [self._let(number)]
        self._cluster.receiver.go_on(following)

    def _let(self, number: int) -> tuple[Turn, Action]:
        """A worker's step ends: it hears of the step, and of the end."""
        cluster = self._cluster

        def left() -> None:
            self._local[number] = self._applied
            cluster.to_worker(number, lambda: cluster.tell(number, self._together.finish))
            cluster.to_worker(number, lambda: self._begin(number))

        return self._together.let, left

    def _have_next(self) -> None:
        """The chief's step begins at the server."""
        receiver = self._cluster.receiver

        def begun() -> None:
            self._is_chief_ready = True
            receiver.go_on(self._apply_if_complete())

        receiver.tell(self._together.begin, begun)

    def _apply_if_complete(self) -> list[tuple[Turn, Action]]:
        """What follows where there are enough gradients, and the chief's step waits for them."""
        if not self._is_chief_ready or self._arrived < self.needed:
            return []
        self._is_chief_ready = False
        self._step, self._arrived = self._step + 1, 0
        return [(self._together.apply, self._end)]

    def _end(self) -> None:
        """The step is applied: all may go on with the next, and the chief hears of it."""
        self._applied += 1
        cluster = self._cluster
        cluster.receiver.go_on([self._let(number) for number in self._waiting])
        self._waiting.clear()
        cluster.to_chief(self._together.chief_ask, lambda: cluster.hop(self._have_next))
