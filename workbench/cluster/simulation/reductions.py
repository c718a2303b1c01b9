"""Simulated trainings whose replicas add up their gradients among themselves."""

from __future__ import annotations

import math
import random

from workbench.cluster.simulation.costs import ReplicaCosts
from workbench.cluster.simulation.events import Barrier, Simulation
from workbench.cluster.simulation.processors import Processors

#: How often replicas of one machine wait for each other in a step: to hear whether somebody wants
#: to join, and in the stages in which small and large gradients go through the memory they share.
WAITS = 4


def all_reduce(costs: ReplicaCosts, replicas: int, steps: int = 100, seed: int = 0) -> float:
    """Gradients a second where all replicas add up theirs, and each applies the sum.

    On one machine they do so through memory (`Wire.send` is then what a byte costs that is copied
    or added); else in a ring, or in a tree where that is faster.
    """
    if replicas == 1 or costs.is_shared:
        exchange = replicas > 1
        return _Replicas(costs, replicas, seed, WAITS if exchange else 0, 0.0).rate(steps)
    wire, hops = costs.wire, math.ceil(math.log2(replicas))
    byte = wire.send + wire.receive + 1.0 / wire.bytes_per_second
    ring = 2 * (replicas - 1) * (wire.hop + costs.size / replicas * byte)
    tree = 2 * hops * (wire.hop + costs.size * byte)
    return _Replicas(costs, replicas, seed, 1, min(ring, tree)).rate(steps)


def bytes_through_memory(size: float, replicas: int) -> float:
    """The bytes that one replica copies and adds, where all do so through shared memory.

    It gives what others add up, adds its part of all, copies that, and takes the others' sums.
    """
    own = size / replicas
    return (size - own) + size + own + (size - own)


class _Replicas:
    """Replicas that compute, wait for each other so often, and apply."""

    def __init__(
        self, costs: ReplicaCosts, replicas: int, seed: int, waits: int, exchange: float
    ) -> None:
        self._costs, self._waits, self._exchange = costs, waits, exchange
        self._source = random.Random(seed)
        self._simulation = simulation = Simulation()
        shared = Processors(simulation, costs.machine) if costs.is_shared else None
        self._replicas = [shared or Processors(simulation) for _ in range(replicas)]
        self._barrier = Barrier(replicas)
        self._steps = 0
        self._copied = 0.0
        if costs.is_shared and waits:
            self._copied = bytes_through_memory(costs.size, replicas) * costs.wire.send

    def rate(self, steps: int) -> float:
        """Gradients a second, over so many steps."""
        count = len(self._replicas)
        for replica in self._replicas:
            self._begin(replica)
        self._simulation.run(lambda: self._steps >= count * (steps + 1))
        # All but the first step of each.
        return count * steps / (self._simulation.now - self._first)

    def _begin(self, replica: Processors) -> None:
        python = self._costs.python / 2

        def compute() -> None:
            replica.compute(self._costs.compute(self._source), lambda: meet(self._waits))

        def meet(waits: int) -> None:
            if not waits:
                replica.compute(self._costs.apply, lambda: replica.compute(python, end))
                return
            hop = self._exchange or self._costs.wire.hop
            replica.compute(
                self._copied / self._waits,
                lambda: self._barrier.reach(
                    lambda: self._simulation.after(hop, lambda: meet(waits - 1))
                ),
            )

        def end() -> None:
            self._steps += 1
            if self._steps == len(self._replicas):
                self._first = self._simulation.now
            self._begin(replica)

        replica.compute(python, compute)
