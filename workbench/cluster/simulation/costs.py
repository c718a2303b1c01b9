"""What a simulated training is made of: times of computing, of Python, of the wire."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.cluster.simulation.processors import Machine

#: A function that draws the seconds of one computation.
Draw = Callable[[random.Random], float]


def always(seconds: float) -> Draw:
    """The same time for each computation."""
    return lambda source: seconds


def exponential(mean: float) -> Draw:
    """Times without a memory."""
    return lambda source: source.expovariate(1.0 / mean)


def spread(median: float, sigma: float, stalls: float = 0.0, factor: float = 1.0) -> Draw:
    """Log-normal times, of which a share of `stalls` takes `factor` times as long: stragglers."""

    def draw(source: random.Random) -> float:
        seconds = source.lognormvariate(0.0, sigma) * median
        return seconds * factor if source.random() < stalls else seconds

    return draw


def measured(seconds: list[float]) -> Draw:
    """Times as they were measured, each as likely as another."""
    return lambda source: source.choice(seconds)


@dataclass(frozen=True)
class Wire:
    """What it takes to tell another process something.

    Attributes:
      hop: from sending to being heard, in seconds, beside what processors do.
      send, receive: processor time of the sender and of the receiver, in seconds a byte.
      bytes_per_second: of one machine's line, each way.
    """

    hop: float = 0.0
    send: float = 0.0
    receive: float = 0.0
    bytes_per_second: float = math.inf

    def line(self, size: float) -> float:
        """For how long a line is taken by so many bytes."""
        return size / self.bytes_per_second


@dataclass(frozen=True)
class TrainingCosts:
    """The constants of a training; times are in seconds of a processor.

    What a worker takes from its servers and gives them is as large as the parameters, and is
    spread evenly over the servers, so that one of them stands for all.

    Attributes:
      compute: draws what a gradient takes to compute.
      size: the bytes of the parameters, and so of a gradient.
      worker, server: the Python of a worker, and of the servers for it, in a step.
      accumulate: what it takes the servers to add a gradient to others: synchronous only.
      apply: what it takes to apply a gradient, or their sum.
      chief_worker, chief_server: Python beside that, once in a synchronous step.
      servers: how many there are.
      wire: what processes talk through.
      machine: what all processes run on, or a server alone.
      is_shared: whether that is all processes; else each worker has a machine for itself.
    """

    compute: Draw
    size: float = 0.0
    worker: float = 0.0
    server: float = 0.0
    accumulate: float = 0.0
    apply: float = 0.0
    chief_worker: float = 0.0
    chief_server: float = 0.0
    servers: int = 1
    wire: Wire = field(default_factory=Wire)
    machine: Machine = field(default_factory=Machine)
    is_shared: bool = False

    @property
    def part(self) -> float:
        """The bytes of one server's part of the parameters."""
        return self.size / self.servers
