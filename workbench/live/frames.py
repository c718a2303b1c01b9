"""Frames: the state of a run after some number of steps, kept so that it can come back.

The frames in memory are a ring with a budget. When they take more, some are given up so that the
older they are, the farther they stand apart: any step can be reached from the frame before it, by
running the steps between again, in a time that grows only with how long ago it was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

from workbench.core.runtime.snapshot import StateSnapshot
from workbench.live.hyperparameters import Value

#: Frames in memory take this many bytes at most; the first and the newest always stay.
BUDGET = 256 << 20
#: Shortest time between two frames, in seconds of training.
_INTERVAL = 0.25
#: The share of the time that taking frames may cost.
_SHARE = 0.01


class Frame(NamedTuple):
    """All that the steps after `step` depend on."""

    step: int
    state: StateSnapshot
    #: The values of the hyperparameters.
    values: Mapping[str, Value]


class Frames:
    """The frames of a run that are in memory, by step."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self._steps: list[int] = []
        self._frames: dict[int, Frame] = {}
        self._pinned: set[int] = set()
        self._bytes = 0

    @property
    def steps(self) -> list[int]:
        """The steps of which there are frames, in order."""
        return list(self._steps)

    @property
    def nbytes(self) -> int:
        """About how much memory the frames take."""
        return self._bytes

    def add(self, frame: Frame, pinned: bool = False) -> None:
        """Keeps a frame, in place of another one of its step; a pinned one stays as long as any."""
        old = self._frames.get(frame.step)
        if old is None:
            self._steps.insert(bisect_right(self._steps, frame.step), frame.step)
        else:
            self._bytes -= old.state.nbytes
        self._frames[frame.step] = frame
        self._bytes += frame.state.nbytes
        if pinned:
            self._pinned.add(frame.step)
        self._thin()

    def nearest(self, step: int) -> Frame | None:
        """The latest frame of `step` or of an earlier one."""
        place = bisect_right(self._steps, step)
        return self._frames[self._steps[place - 1]] if place else None

    def cut(self, step: int) -> None:
        """Gives up the frames after `step`."""
        while self._steps and self._steps[-1] > step:
            self._drop(len(self._steps) - 1)

    def clear(self) -> None:
        """Gives up all frames."""
        while self._steps:
            self._drop(len(self._steps) - 1)

    def shared(self, step: int, budget: int) -> Frames:
        """Frames of their own up to `step`, for a run with the same past; frames never change."""
        copy = Frames(budget)
        for each in self._steps:
            if each <= step:
                copy.add(self._frames[each], each in self._pinned)
        return copy

    def _drop(self, place: int) -> None:
        step = self._steps.pop(place)
        self._bytes -= self._frames.pop(step).state.nbytes
        self._pinned.discard(step)

    def _thin(self) -> None:
        while self._bytes > self.budget and len(self._steps) > 2:
            places = range(1, len(self._steps) - 1)
            free = [p for p in places if self._steps[p] not in self._pinned]
            self._drop(min(free or places, key=self._spacing))

    def _spacing(self, place: int) -> float:
        """How far apart its neighbours are, for their age: the least is missed the least."""
        steps = self._steps
        age = steps[-1] - steps[place]
        return (steps[place + 1] - steps[place - 1]) / max(age, 1)


class Pace:
    """When to take frames: seldom enough to cost next to nothing.

    >>> pace = Pace()
    >>> pace.took(now=10.0, seconds=0.02)
    >>> pace.due
    12.0
    """

    def __init__(self) -> None:
        #: The time from which on a frame is due.
        self.due = 0.0

    def took(self, now: float, seconds: float) -> None:
        """A frame was taken, which took so long."""
        self.due = now + max(_INTERVAL, seconds / _SHARE)
