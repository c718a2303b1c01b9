"""What a simulated training is made of: times of computing, of Python, of the wire."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.cluster.simulation.processors import Machine, Turn

#: What takes no time.
NOTHING = Turn()
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
class Crowd:
    """What is different on a machine that has fewer processors than processes.

    Attributes:
      wake: until a thread runs that slept, in seconds: its processor may be another one's, and
        systems have their reasons to let one wait for it while a second is idle.
      times: how many times as long Python and bytes take: what they need is out of the caches.
    """

    wake: float = 0.0
    times: float = 1.0


@dataclass(frozen=True)
class Costs:
    """The constants of any training; times are in seconds of a processor.

    Attributes:
      compute: draws what a gradient takes to compute.
      size: the bytes of the parameters, and so of a gradient.
      wire: what processes talk through.
      machine: what all processes run on, or a server alone.
      is_shared: whether that is all processes; else each worker has a machine for itself.
      wake: until a thread runs that slept.
      unequal: the deviation of what is done with the interpreter, as a share of its mean.
      crowd: what is different where processes share too few processors, where that is known.
    """

    compute: Draw
    size: float = 0.0
    wire: Wire = field(default_factory=Wire)
    machine: Machine = field(default_factory=Machine)
    is_shared: bool = False
    wake: float = 0.0
    unequal: float = 0.0
    crowd: Crowd | None = None

    def among(self, processes: int) -> Crowd:
        """How it is among so many processes on one machine."""
        most = self.machine.processors
        if self.crowd is not None and self.is_shared and most is not None and processes > most:
            return self.crowd
        return Crowd(self.wake)


@dataclass(frozen=True)
class ReplicaCosts(Costs):
    """The constants of a training whose replicas add up their gradients among themselves.

    Attributes:
      python: that of a replica in a step.
      apply: what it takes to apply the sum.
    """

    python: float = 0.0
    apply: float = 0.0


@dataclass(frozen=True)
class Together:
    """What servers and the chief do beside the rest where workers train in step.

    Attributes:
      note: a server hears from a worker which step its gradient is for.
      finish: a worker notes the step that it goes on with, and hears of its end then.
      chief_ask: the chief hears that a step is applied, and asks for the next.
      chief_hear: the process of the chief takes a message for its worker: its chief's thread
        receives for both.
      begin: a server is asked for the next step of all, which waits for its gradients there.
      apply: when they are complete it takes their means, applies them, and says so.
      let: a server lets a worker on to the next step.
    """

    note: Turn = NOTHING
    finish: Turn = NOTHING
    chief_ask: Turn = NOTHING
    chief_hear: Turn = NOTHING
    begin: Turn = NOTHING
    apply: Turn = NOTHING
    let: Turn = NOTHING


@dataclass(frozen=True)
class TrainingCosts(Costs):
    """The constants of a training with parameter servers.

    What a worker takes from its servers and gives them is as large as the parameters, and is
    spread evenly over the servers, so that one of them stands for all.

    Attributes:
      ask: a worker ends its step, begins the next, and asks for the parameters.
      hear: it takes a message.
      give: it has taken the parameters, and computed, and gives the gradient.
      send: a server is asked for the parameters, and sends them.
      take: it takes a gradient; where workers do not train in step, it applies it.
      servers: how many there are.
      together: what else is done where workers train in step.
    """

    ask: Turn = NOTHING
    hear: Turn = NOTHING
    give: Turn = NOTHING
    send: Turn = NOTHING
    take: Turn = NOTHING
    servers: int = 1
    together: Together = field(default_factory=Together)

    @property
    def part(self) -> float:
        """The bytes of one server's part of the parameters."""
        return self.size / self.servers
