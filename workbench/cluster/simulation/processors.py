"""Processors that processes share, processes that have an interpreter, and threads in them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from workbench.cluster.simulation.events import Action, Resource, Simulation


@dataclass(frozen=True)
class Machine:
    """What processes run on.

    Attributes:
      processors: how many there are; None where nobody waits for one.
      slice: for how long one is had, in seconds, where others wait for it.
      together: how much longer computing takes while more than one is busy: they share caches and
        memory, and perhaps a core.
      hot: who has run on a processor within so long, in seconds, and has to wait for it, does not
        go to another one that becomes idle: systems think that what it needs is in the cache.
    """

    processors: int | None = None
    slice: float = math.inf
    together: float = 1.0
    hot: float = 0.0


class Work(NamedTuple):
    """What a thread does, in seconds of a processor.

    Attributes:
      seconds: with the interpreter.
      byte: beside it, for each byte that it is about.
    """

    seconds: float = 0.0
    byte: float = 0.0


class Turn(NamedTuple):
    """What a thread does when it is told something.

    Attributes:
      before: until others hear of it.
      after: then, while they are at it already; in seconds.
    """

    before: Work = Work()
    after: float = 0.0


@dataclass
class Home:
    """Where a thread has run: on which processor, and until when."""

    processor: int = -1
    until: float = -math.inf


class _Wish(NamedTuple):
    """What is to be computed: the seconds that are left, what comes then, and whose it is."""

    left: float
    then: Action
    home: Home


class Processors:
    """The processors of a machine: who has one gives it up after a slice where others wait.

    Who was asleep goes to where it was before, or to another that is idle, and waits where it was
    before if none is. It comes before those who have had a slice, which any processor takes.
    """

    def __init__(self, simulation: Simulation, machine: Machine | None = None) -> None:
        self._simulation = simulation
        self._machine = machine = machine or Machine()
        self._is_busy = [False] * (machine.processors or 0)
        #: Who waits: for a processor each, and who has had a slice.
        self._fresh: list[deque[_Wish]] = [deque() for _ in self._is_busy]
        self._late: deque[_Wish] = deque()

    def compute(self, seconds: float, then: Action, home: Home | None = None) -> None:
        """Computes for so long, with pauses where others compute; then something comes."""
        if self._machine.processors is None:
            self._simulation.after(seconds, then)
            return
        wish = _Wish(seconds, then, home or Home())
        at = wish.home.processor
        if at >= 0 and not self._is_busy[at]:
            self._turn(at, wish)
        elif False in self._is_busy:
            self._turn(self._is_busy.index(False), wish)
        else:
            if at < 0:
                at = min(range(len(self._fresh)), key=lambda n: len(self._fresh[n]))
            self._fresh[at].append(wish)

    def _turn(self, at: int, wish: _Wish) -> None:
        self._is_busy[at] = True
        wish.home.processor = at
        seconds = min(wish.left, self._machine.slice)
        stretch = self._machine.together if sum(self._is_busy) > 1 else 1.0
        rest = wish._replace(left=wish.left - seconds)
        self._simulation.after(seconds * stretch, lambda: self._end(at, rest))

    def _end(self, at: int, rest: _Wish) -> None:
        rest.home.until = self._simulation.now
        if rest.left > 0:
            self._late.append(rest)
        following = self._next(at)
        if following is not None:
            self._turn(at, following)
        else:
            self._is_busy[at] = False
        if rest.left <= 0:
            rest.then()

    def _next(self, at: int) -> _Wish | None:
        if self._fresh[at]:
            return self._fresh[at].popleft()
        cold = self._simulation.now - self._machine.hot
        for waiting in self._fresh:
            if waiting and waiting[0].home.until <= cold:
                return waiting.popleft()
        return self._late.popleft() if self._late else None


class Process:
    """A process, of whose threads one at a time has the interpreter.

    `wake` is what it takes a thread to run that slept, in seconds: until it was told something, or
    until the interpreter was free. `vary` makes of what is done with the interpreter, as it is on
    average, what it is this time. All but computing takes so many `times` as long as is told.
    """

    def __init__(
        self,
        simulation: Simulation,
        processors: Processors,
        wake: float = 0.0,
        vary: Callable[[float], float] = float,
        times: float = 1.0,
    ) -> None:
        self.simulation = simulation
        self.processors = processors
        self.wake = wake
        self.vary = vary
        self.times = times
        self.interpreter = Resource(simulation, handover=wake)


class Thread:
    """A thread: it does what it is told in the order it is told, and sleeps where that is nothing.

    Args:
      process: whose thread it is.
      size: the bytes that its work is about.
    """

    def __init__(self, process: Process, size: float = 0.0) -> None:
        self._process, self._size = process, size
        self._home = Home()
        self._todo: deque[tuple[Turn, Action, float]] = deque()
        self._is_awake = False

    def tell(self, turn: Turn, then: Action, compute: float = 0.0) -> None:
        """Has it do something; then others hear of it. `compute` are seconds beside the
        interpreter, before its end."""
        self._todo.append((turn, then, compute))
        if not self._is_awake:
            self._is_awake = True
            if self._process.wake:
                self._process.simulation.after(self._process.wake, self._next)
            else:
                self._next()

    def go_on(self, turns: Iterable[tuple[Turn, Action]]) -> None:
        """Has it do these next, in this order, before what it was told: it is at that which they
        follow from."""
        self._todo.extendleft([(turn, then, 0.0) for turn, then in turns][::-1])

    def _next(self) -> None:
        if not self._todo:
            self._is_awake = False
            return
        turn, then, compute = self._todo.popleft()
        beside = compute + turn.before.byte * self._size * self._process.times

        def tell() -> None:
            then()
            self._interpret(turn.after, self._next)

        def go_on() -> None:
            if beside:
                self._process.processors.compute(beside, tell, self._home)
            else:
                tell()

        self._interpret(turn.before.seconds, go_on)

    def _interpret(self, seconds: float, then: Action) -> None:
        interpreter, processors = self._process.interpreter, self._process.processors
        if not seconds:
            then()
            return

        def end() -> None:
            interpreter.release()
            then()

        now = self._process.vary(seconds) * self._process.times
        interpreter.hold(lambda: processors.compute(now, end, self._home))
