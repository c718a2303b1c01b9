"""What a simulated training is made of: times of computing, of the wire, and of servers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

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
class TrainingCosts:
    """The constants of a training.

    What a worker takes from its servers and gives them is as large as the parameters, and is
    spread evenly over the servers, so that one of them stands for all.
    """

    compute: Draw
    #: The bytes of the parameters, and so of a gradient.
    size: float
    #: Of a message, in seconds.
    latency: float
    #: Of one machine's line, each way.
    bytes_per_second: float
    servers: int = 1
    #: What it takes a server to answer one worker, and to apply one gradient, beside its line.
    answer: float = 0.0
    apply: float = 0.0
    #: The processors that all processes share; None where each has one of its own.
    cores: int | None = None

    @property
    def transfer(self) -> float:
        """How long a server's line is taken by one worker's share, one way."""
        return self.size / self.servers / self.bytes_per_second
