"""Time that passes from event to event, and what only so many can use at once."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable

#: What happens at some time.
Action = Callable[[], None]


class Simulation:
    """Events in the order of their times; those of one time in the order they were asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Action]] = []

    def after(self, seconds: float, action: Action) -> None:
        """Has something happen later."""
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), action))

    def run(self, is_done: Callable[[], bool]) -> None:
        """Lets time pass until something is so, or nothing happens any more."""
        while self._events and not is_done():
            self.now, _, action = heapq.heappop(self._events)
            action()


class Resource:
    """A line or an interpreter: so many use it at once, others wait in the order they came.

    Who has waited has it `handover` seconds after it was left.
    """

    def __init__(self, simulation: Simulation, places: int = 1, handover: float = 0.0) -> None:
        self._simulation = simulation
        self._free, self._handover = places, handover
        self._waiting: deque[Action] = deque()

    def use(self, seconds: float, then: Action) -> None:
        """Uses it for so long; what comes then comes at the end of that."""

        def begin() -> None:
            self._simulation.after(seconds, end)

        def end() -> None:
            self.release()
            then()

        self.hold(begin)

    def hold(self, then: Action) -> None:
        """Has something happen as soon as there is a place, which is taken until `release`."""
        if self._free:
            self._free -= 1
            then()
        else:
            self._waiting.append(then)

    def release(self) -> None:
        """Gives a place to who has waited longest for one."""
        if not self._waiting:
            self._free += 1
        elif self._handover:
            self._simulation.after(self._handover, self._waiting.popleft())
        else:
            self._waiting.popleft()()


class Barrier:
    """Where so many wait for each other, again and again."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting: list[Action] = []

    def reach(self, then: Action) -> None:
        """What comes then comes when all have come here."""
        self._waiting.append(then)
        if len(self._waiting) == self._count:
            arrived, self._waiting = self._waiting, []
            for action in arrived:
                action()
