"""The processes of a simulated training with parameter servers, and what they tell each other."""

from __future__ import annotations

import random

from workbench.cluster.simulation.costs import TrainingCosts
from workbench.cluster.simulation.events import Action, Resource, Simulation
from workbench.cluster.simulation.processors import Process, Processors

#: A worker is at Python so often in a step: it asks for the parameters, takes them, gives the
#: gradient, and ends the step. The server is at it twice: when it is asked, and when it is given.
_WORKER_TURNS, _SERVER_TURNS = 4, 2


class Cluster:
    """Workers, and a server that stands for all servers."""

    def __init__(self, costs: TrainingCosts, workers: int, seed: int) -> None:
        self.simulation = Simulation()
        self.costs = costs
        self._source = random.Random(seed)
        first = Processors(self.simulation, costs.machine)
        self.server = Process(self.simulation, first)
        self.workers = [
            Process(self.simulation, first if costs.is_shared else Processors(self.simulation))
            for _ in range(workers)
        ]
        #: The server's line.
        self._out, self._in = Resource(self.simulation), Resource(self.simulation)

    def give_gradient(self, number: int, then: Action) -> None:
        """A worker asks for the parameters, computes, and its gradient arrives at the server.

        What comes then is up to the server.
        """
        costs, worker, server = self.costs, self.workers[number], self.server
        wire, turn = costs.wire, costs.worker / _WORKER_TURNS

        def ask() -> None:
            worker.interpret(turn, lambda: self.hop(answer))

        def answer() -> None:
            server.interpret(costs.server / _SERVER_TURNS, send)

        def send() -> None:
            server.compute(costs.part * wire.send, lambda: self._out.use(line, arrive))

        def arrive() -> None:
            self.hop(lambda: worker.compute(costs.size * wire.receive, take))

        def take() -> None:
            worker.interpret(turn, compute)

        def compute() -> None:
            worker.compute(costs.compute(self._source), give)

        def give() -> None:
            worker.interpret(turn, lambda: worker.compute(costs.size * wire.send, post))

        def post() -> None:
            self._in.use(line, lambda: self.hop(receive))

        def receive() -> None:
            server.compute(costs.part * wire.receive, hear)

        def hear() -> None:
            server.interpret(costs.server / _SERVER_TURNS, then)

        line = wire.line(costs.part)
        ask()

    def end_step(self, number: int, then: Action) -> None:
        """A worker is told that its gradient has been dealt with, and ends its step."""
        turn = self.costs.worker / _WORKER_TURNS
        self.hop(lambda: self.workers[number].interpret(turn, then))

    def hop(self, then: Action) -> None:
        """Something goes from one process to another."""
        self.simulation.after(self.costs.wire.hop, then)

    @property
    def share(self) -> float:
        """What one server does of what all do."""
        return 1.0 / self.costs.servers
