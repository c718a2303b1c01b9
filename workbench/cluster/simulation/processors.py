"""Processors that processes share, and processes whose threads share an interpreter."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from workbench.cluster.simulation.events import Action, Resource, Simulation


@dataclass(frozen=True)
class Machine:
    """What processes run on.

    Attributes:
      processors: how many there are; None where nobody waits for one.
      slice: for how long one is had, in seconds, where others wait for it.
      together: how much longer computing takes while more than one is busy: they share caches and
        memory, and perhaps a core.
    """

    processors: int | None = None
    slice: float = math.inf
    together: float = 1.0


class Processors:
    """The processors of a machine: who has one gives it up after a slice where others wait.

    Those who had none yet come first: schedulers of systems prefer who was asleep.
    """

    def __init__(self, simulation: Simulation, machine: Machine | None = None) -> None:
        self._simulation = simulation
        self._machine = machine or Machine()
        self._busy = 0
        #: Who waits: those who begin, and those who have had a slice.
        self._fresh: deque[tuple[float, Action]] = deque()
        self._late: deque[tuple[float, Action]] = deque()

    def compute(self, seconds: float, then: Action) -> None:
        """Computes for so long, with pauses where others compute; then something comes."""
        most = self._machine.processors
        if most is None:
            self._simulation.after(seconds, then)
        elif self._busy < most:
            self._busy += 1
            self._turn(seconds, then)
        else:
            self._fresh.append((seconds, then))

    def _turn(self, left: float, then: Action) -> None:
        seconds = min(left, self._machine.slice)
        stretch = self._machine.together if self._busy > 1 else 1.0
        self._simulation.after(seconds * stretch, lambda: self._end(left - seconds, then))

    def _end(self, left: float, then: Action) -> None:
        if left > 0:
            self._late.append((left, then))
        waiting = self._fresh or self._late
        if waiting:
            self._turn(*waiting.popleft())
        else:
            self._busy -= 1
        if left <= 0:
            then()


class Process:
    """A process: its threads compute side by side, but one at a time interprets Python."""

    def __init__(self, simulation: Simulation, processors: Processors) -> None:
        self._processors = processors
        self._interpreter = Resource(simulation)

    def compute(self, seconds: float, then: Action) -> None:
        """Computes outside of the interpreter."""
        self._processors.compute(seconds, then)

    def interpret(self, seconds: float, then: Action) -> None:
        """Interprets Python, as soon as no other thread of the process does."""

        def begin() -> None:
            self._processors.compute(seconds, end)

        def end() -> None:
            self._interpreter.release()
            then()

        self._interpreter.hold(begin)
