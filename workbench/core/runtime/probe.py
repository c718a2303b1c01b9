"""Measuring a program from inside: when each step ended, and a look at the results of some.

A probed program is the plain one with a line or two after each step. It takes the same buffers,
overwrites the same arrays and gives the same bits; what is looked at is looked at before a later
step overwrites it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.plan.node import Node
from workbench.core.runtime.turns import Turns

#: A clock of the time that this thread works, which others on a busy machine do not disturb; where
#: the system has only a coarse one, of the time that goes by.
work_clock = (
    time.thread_time if time.get_clock_info("thread_time").resolution <= 1e-6 else time.perf_counter
)

#: What the lines for a step cost, in seconds.
_COST_OF_STEP = 0.2e-6

#: Takes the slot of a step and its results.
Look = Callable[[int, Sequence[Any]], None]


class _Group(NamedTuple):
    """Steps that run together: their slots, and the place of the first among those timed."""

    slots: range
    place: int


class Probe:
    """What a program reports while it runs.

    Every step that gives a value or does something has a slot: its place in `nodes`. Those that are
    more than names for a value are timed: `timed` has their slots in the order in which they run,
    `seconds` how long each took in the last run. Steps of a group (`workbench.core.plan.groups`)
    share their time evenly, unless one of them is looked at: then they run one by one.

    Args:
      look: called with the slot and the results of a chosen step, at once; its time counts for no
        step. The results belong to the program: who wants to keep them takes a copy.
    """

    start = "_t[0] = _now()"

    def __init__(self, look: Look) -> None:
        self._look = look
        #: Which ways the last run went.
        self.turns = Turns()
        self.nodes: list[Node] = []
        self.timed: list[int] = []
        self._groups: list[_Group] = []
        self._group_of: dict[int, int] = {}
        #: For each slot the place among those timed that a look at its results comes before.
        self._places: list[int] = []
        self._stamps: list[float] = [0.0]
        self._chosen = bytearray()
        self._apart = bytearray()
        #: The looks of the last run: before which timed step they were, and how long they took.
        self._looks: list[tuple[int, float]] = []
        #: How long the looks of the last run were worked at, by `work_clock`, in seconds.
        self.work = 0.0

    # -- for the writer of a program ---------------------------------------------------------

    def after(self, node: Node, names: Sequence[str], timed: bool) -> Iterator[str]:
        """The lines that follow a step whose results have these names."""
        slot = self._slot(node)
        if timed:
            yield self._stamp(slot)
        if names:
            yield self._looking(slot, names)

    def group(
        self, together: str, alone: Sequence[tuple[str, Node, str]]
    ) -> Iterator[tuple[str, Node]]:
        """The lines that run a group: all of it, or its steps (line, node, result) one by one."""
        number = len(self._groups)
        slots = [self._slot(node) for _, node, _ in alone]
        place = len(self.timed)
        self._groups.append(_Group(range(slots[0], slots[-1] + 1), place))
        yield f"if _apart[{number}]:", alone[0][1]
        for slot, (text, node, name) in zip(slots, alone, strict=True):
            self._group_of[slot] = number
            yield f" {text}", node
            yield f" {self._stamp(slot)}", node
            yield f" {self._looking(slot, [name])}", node
        yield "else:", alone[0][1]
        yield f" {together}", alone[0][1]
        yield f" _t[{place + 1}:{place + 1 + len(slots)}] = [_now()] * {len(slots)}", alone[0][1]

    def ready(self) -> dict[str, Any]:
        """Ends the preparation; gives the global names of the program."""
        self._stamps = [0.0] * (len(self.timed) + 1)
        self._chosen = bytearray(len(self.nodes))
        self._apart = bytearray(len(self._groups))
        return {
            "_t": self._stamps,
            "_now": time.perf_counter,
            "_chosen": self._chosen,
            "_apart": self._apart,
            "_look": self._timed_look,
        }

    def _slot(self, node: Node) -> int:
        self.nodes.append(node)
        self._places.append(0)
        return len(self.nodes) - 1

    def _stamp(self, slot: int) -> str:
        self.timed.append(slot)
        return f"_t[{len(self.timed)}] = _now()"

    def _looking(self, slot: int, names: Sequence[str]) -> str:
        self._places[slot] = len(self.timed)
        return f"if _chosen[{slot}]: _look({slot}, ({', '.join(names)},))"

    # -- for whoever runs it -----------------------------------------------------------------

    @property
    def overhead(self) -> float:
        """How much longer a run takes for the lines of the probe, without looks, in seconds."""
        return _COST_OF_STEP * len(self.nodes)

    def sees(self, slot: int, output: int) -> bool:
        """Whether a result of a step can be looked at."""
        return True

    def needs(self, slot: int) -> frozenset[Node]:
        """The steps that are computed again for whoever looks at the results of this one."""
        return frozenset()

    def cost(self, steps: Iterable[Node]) -> float:
        """How long it takes to compute steps again, in seconds."""
        return 0.0

    def choose(self, slot: int, chosen: bool = True) -> None:
        """Has the results of a step looked at from the next run on, or no more."""
        self._chosen[slot] = chosen
        number = self._group_of.get(slot)
        if number is not None:
            slots = self._groups[number].slots
            self._apart[number] = any(self._chosen[slots.start : slots.stop])

    def clear(self) -> None:
        """Looks at nothing any more, and forgets the times of the last run."""
        self._chosen[:] = bytes(len(self._chosen))
        self._apart[:] = bytes(len(self._apart))
        self._looks.clear()
        self.turns.clear()
        self.work = 0.0

    def seconds(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """How long each timed step took in the last run, without the looks."""
        seconds = np.diff(np.array(self._stamps))
        for place, spent in self._looks:
            if place < seconds.size:
                seconds[place] -= spent
        for number, group in enumerate(self._groups):
            if not self._apart[number]:
                members = slice(group.place, group.place + len(group.slots))
                seconds[members] = seconds[members].sum() / len(group.slots)
        return np.maximum(seconds, 0.0)

    @property
    def looking(self) -> float:
        """How long the looks of the last run took, in seconds."""
        return sum(spent for _, spent in self._looks)

    def _timed_look(self, slot: int, values: Sequence[Any]) -> None:
        began, working = time.perf_counter(), work_clock()
        self._look(slot, values)
        self.work += work_clock() - working
        self._looks.append((self._places[slot], time.perf_counter() - began))
