"""Simulated trainings, each as examples a second in units of one worker's batch."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from workbench.cluster.simulation.costs import TrainingCosts
from workbench.cluster.simulation.events import Resource, Simulation


class _Cluster:
    """Workers and a server that stands for all."""

    def __init__(self, costs: TrainingCosts, seed: int) -> None:
        self.simulation = Simulation()
        self._costs = costs
        self._source = random.Random(seed)
        #: The server's line out and in, and the server.
        self._out, self._in = Resource(self.simulation), Resource(self.simulation)
        self._processors = Resource(self.simulation, costs.cores)
        self._server = Resource(self.simulation)

    def work(self, then: Callable[[], None]) -> None:
        """A worker's turn: it takes the parameters, computes, and its gradient arrives."""
        costs, after = self._costs, self.simulation.after

        def answered() -> None:
            self._out.use(costs.transfer, lambda: after(costs.latency, compute))

        def compute() -> None:
            self._processors.use(costs.compute(self._source), give)

        def give() -> None:
            self._in.use(costs.transfer, lambda: after(costs.latency, then))

        self.serve(costs.answer, answered)

    def serve(self, seconds: float, then: Callable[[], None]) -> None:
        """The server does something, one after the other, for which it needs a processor."""

        def done() -> None:
            self._server.release()
            then()

        self._server.hold(lambda: self._processors.use(seconds, done))


def asynchronous(costs: TrainingCosts, workers: int, updates: int = 2000, seed: int = 0) -> float:
    """Updates a second where each worker goes on as soon as its gradient is applied."""
    cluster, done = _Cluster(costs, seed), 0

    def begin() -> None:
        cluster.work(lambda: cluster.serve(costs.apply, applied))

    def applied() -> None:
        nonlocal done
        done += 1
        begin()

    for _ in range(workers):
        begin()
    cluster.simulation.run(lambda: done >= updates)
    return done / cluster.simulation.now


def synchronous(
    costs: TrainingCosts, workers: int, backups: int = 0, steps: int = 100, seed: int = 0
) -> float:
    """Gradients a second that count, where each step takes the first `workers - backups`.

    A worker that is late finishes what it does, which is dropped, and joins the step of that time.
    """
    needed = workers - backups
    if not 0 < needed <= workers:
        raise ValueError(f"There are {workers} workers: {backups} backups are too many")
    cluster = _Cluster(costs, seed)
    step, arrived = 0, 0
    idle: list[int] = []

    def begin(number: int) -> None:
        began = step
        cluster.work(lambda: arrive(number, began))

    def arrive(number: int, began: int) -> None:
        nonlocal arrived
        if began != step:
            # Stale: dropped.
            begin(number)
            return
        if arrived == needed:
            # One more than is needed; the next step is about to begin.
            idle.append(number)
            return
        idle.append(number)
        arrived += 1
        if arrived == needed:
            cluster.serve(costs.apply, applied)

    def applied() -> None:
        nonlocal step, arrived
        step, arrived = step + 1, 0
        waiting, idle[:] = list(idle), []
        for number in waiting:
            begin(number)

    for number in range(workers):
        begin(number)
    cluster.simulation.run(lambda: step >= steps)
    return step * needed / cluster.simulation.now


def all_reduce(costs: TrainingCosts, workers: int, steps: int = 100, seed: int = 0) -> float:
    """Gradients a second where all workers add theirs in a ring, or in a tree if that is faster.

    Each works out the new parameters for itself.
    """
    source, total = random.Random(seed), 0.0
    line = costs.size / costs.bytes_per_second
    ring = 2 * (workers - 1) * (costs.latency + line / workers)
    tree = 2 * math.ceil(math.log2(workers)) * (costs.latency + line) if workers > 1 else 0.0
    for _ in range(steps):
        computed = sorted(costs.compute(source) for _ in range(workers))
        total += _together(computed, costs.cores) + min(ring, tree) + costs.apply
    return steps * workers / total


def _together(times: list[float], cores: int | None) -> float:
    """How long several computations take together."""
    if cores is None:
        return times[-1]
    ends = [0.0] * cores
    for seconds in times:
        first = min(range(cores), key=ends.__getitem__)
        ends[first] += seconds
    return max(ends)
