"""The processes of a simulated training with parameter servers, and what they tell each other."""

from __future__ import annotations

import math
import random

from workbench.cluster.simulation.costs import TrainingCosts
from workbench.cluster.simulation.events import Action, Resource, Simulation
from workbench.cluster.simulation.processors import Process, Processors, Thread, Turn


class Cluster:
    """Workers, and a server that stands for all servers."""

    def __init__(self, costs: TrainingCosts, workers: int, seed: int) -> None:
        self.simulation = Simulation()
        self.costs = costs
        self._source = random.Random(seed)
        first = Processors(self.simulation, costs.machine)
        crowd = costs.among(workers + 1)
        self._server = Process(self.simulation, first, crowd.wake, self._vary, crowd.times)
        #: The thread of the server that receives.
        self.receiver = Thread(self._server, costs.part)
        processes = [
            Process(
                self.simulation,
                first if costs.is_shared else Processors(self.simulation),
                crowd.wake,
                self._vary,
                crowd.times,
            )
            for _ in range(workers)
        ]
        self._workers = [Thread(process, costs.size) for process in processes]
        #: The thread in the first worker's process that has steps applied, where workers train in
        #: step, and that receives for both.
        self.chief = Thread(processes[0], costs.size)
        self.has_chief = False
        #: The server's line.
        self._out, self._in = Resource(self.simulation), Resource(self.simulation)

    def _vary(self, seconds: float) -> float:
        """What takes so long on average, this time: log-normal."""
        square = math.log1p(self.costs.unequal**2)
        if not square:
            return seconds
        return seconds * self._source.lognormvariate(-square / 2, math.sqrt(square))

    def ask(self, number: int, then: Action) -> None:
        """A worker begins its step: it has the server send the parameters."""

        def asked() -> None:
            self.hop(lambda: self.receiver.tell(self.costs.send, then))

        self._workers[number].tell(self.costs.ask, asked)

    def give(self, number: int, then: Action) -> None:
        """The parameters leave the server; a worker computes; its gradient comes to the server."""
        costs, line = self.costs, self.costs.wire.line(self.costs.part)

        def compute() -> None:
            self._workers[number].tell(costs.give, post, costs.compute(self._source))

        def post() -> None:
            self._in.use(line, lambda: self.hop(take))

        def take() -> None:
            self.receiver.tell(costs.take, then)

        self._out.use(line, lambda: self.to_worker(number, compute))

    def to_worker(self, number: int, then: Action) -> None:
        """A worker is told something, and has taken it."""
        if self.has_chief and not number:
            # Its chief's thread receives, and wakes it.
            self.hop(lambda: self.chief.tell(self.costs.together.chief_hear, then))
        else:
            self.hop(lambda: self._workers[number].tell(self.costs.hear, then))

    def tell(self, number: int, turn: Turn) -> None:
        """A worker does something beside, that nobody waits for."""
        self._workers[number].tell(turn, lambda: None)

    def to_chief(self, turn: Turn, then: Action) -> None:
        """The chief is told something, and deals with it."""
        self.hop(lambda: self.chief.tell(turn, then))

    def hop(self, then: Action) -> None:
        """Something goes from one process to another."""
        hop = self.costs.wire.hop
        if hop:
            self.simulation.after(hop, then)
        else:
            then()
