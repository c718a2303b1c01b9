"""A task's part of one step as a state machine: what came, what ended, what to do next.

Events go in, instructions come out; who performs them is `workbench.cluster.execution.step`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.plan.partition.parts import Part, StagePart


@dataclass(slots=True)
class RunStage:
    """Run a stage with these values, in the order of what it takes."""

    stage: StagePart
    values: tuple[Any, ...]


@dataclass(slots=True)
class SendValues:
    """Send values to another task, and tell it which stage has ended where it waits for that."""

    task: str
    values: tuple[tuple[str, Any], ...]
    ended: int | None


@dataclass(slots=True)
class Finished:
    """The part is done: what the user gets of it."""

    values: dict[str, Any]


Instruction = RunStage | SendValues | Finished


class PartTables:
    """What all runs of a part have in common: who waits for what."""

    def __init__(self, part: Part) -> None:
        self.stages = {stage.number: stage for stage in part.stages}
        #: How many stages take a value, and which; the same for the ends of stages.
        self.uses: dict[str, int] = {}
        self.takers: dict[str | int, list[int]] = {}
        #: How many values and ends a stage lacks at first.
        self.lacks: dict[int, int] = {}
        for stage in part.stages:
            wanted: set[str | int] = {*stage.after, *(key for key, _ in stage.takes)}
            for key, _ in stage.takes:
                self.uses[key] = self.uses.get(key, 0) + 1
            for each in wanted:
                self.takers.setdefault(each, []).append(stage.number)
            self.lacks[stage.number] = len(wanted)
        self.awaited = frozenset(self.takers)
        self.free = [number for number, count in self.lacks.items() if not count]
        #: The stages that run when no other one can.
        self.alone = {n for n in self.stages if self._is_alone(n)}

    def _is_alone(self, number: int) -> bool:
        """Whether all other stages come before a stage or after it, by what goes on in the task."""
        return self._reached(number, True) | self._reached(number, False) == set(self.stages)

    def _reached(self, number: int, onwards: bool) -> set[int]:
        found, left = {number}, [number]
        while left:
            last = self.stages[left.pop()]
            for each in self.stages.values():
                first, then = (last, each) if onwards else (each, last)
                if each.number not in found and _leads(first, then):
                    found.add(each.number)
                    left.append(each.number)
        return found


def _leads(first: StagePart, then: StagePart) -> bool:
    """Whether a stage needs another one to have run before."""
    given = {key for key, _ in first.gives}
    return first.number in then.after or any(key in given for key, _ in then.takes)


class PartRun:
    """One run of a part. Values may come before it begins, and once only."""

    def __init__(self, part: Part, tables: PartTables | None = None) -> None:
        self._tables = tables = tables or PartTables(part)
        self._values: dict[str, Any] = {}
        self._uses = dict(tables.uses)
        self._lacks = dict(tables.lacks)
        #: The values and ends that have not come yet.
        self._awaited = set(tables.awaited)
        #: The stages that have what they need, and have not begun.
        self._ready = list(tables.free)
        self._waiting = set(tables.stages)
        self._running = 0
        self._results: dict[str, Any] = {}
        self._has_begun = False
        self.is_finished = False

    def begin(self, feeds: Mapping[str, Any]) -> list[Instruction]:
        """The step begins, with what the user feeds."""
        self._has_begun = True
        return self.arrived(feeds.items(), None)

    def arrived(self, values: Iterable[tuple[str, Any]], ended: int | None) -> list[Instruction]:
        """Another task sent values, and has ended a stage perhaps."""
        for key, value in values:
            self._came(key, value)
        if ended is not None:
            self._note(ended)
        return self._proceed()

    def stage_ended(self, number: int, values: Mapping[str, Any]) -> list[Instruction]:
        """A stage has run and gave these values."""
        self._running -= 1
        stage = self._tables.stages[number]
        instructions: list[Instruction] = []
        for task, keys, tells_end in stage.sends:
            sent = tuple([(key, values[key]) for key in keys])
            instructions.append(SendValues(task, sent, number if tells_end else None))
        for key in stage.returns:
            self._results[key] = values[key]
        for key, value in values.items():
            self._came(key, value)
        self._note(number)
        return instructions + self._proceed()

    def missing(self) -> tuple[list[str], list[int]]:
        """What waiting stages lack: tensors, and the ends of other stages."""
        # Another thread may ask while the step goes on.
        awaited = set(self._awaited)
        waiting = [s for n, s in self._tables.stages.items() if n in self._waiting]
        keys = [k for stage in waiting for k, _ in stage.takes if k in awaited]
        ends = [n for stage in waiting for n in stage.after if n in awaited]
        return list(dict.fromkeys(keys)), list(dict.fromkeys(ends))

    def _came(self, key: str, value: Any) -> None:
        if key in self._awaited:
            self._values[key] = value
            self._note(key)

    def _note(self, wanted: str | int) -> None:
        """A value has come, or a stage has ended."""
        if wanted in self._awaited:
            self._awaited.remove(wanted)
            for number in self._tables.takers[wanted]:
                self._lacks[number] -= 1
                if not self._lacks[number]:
                    self._ready.append(number)

    def _proceed(self) -> list[Instruction]:
        if not self._has_begun or self.is_finished:
            return []
        instructions: list[Instruction] = []
        if self._ready:
            ready, self._ready = sorted(self._ready), []
            for number in ready:
                self._waiting.remove(number)
                self._running += 1
                stage = self._tables.stages[number]
                instructions.append(RunStage(stage, self._take(stage)))
        if not self._waiting and not self._running:
            self.is_finished = True
            instructions.append(Finished(self._results))
        return instructions

    def _take(self, stage: StagePart) -> tuple[Any, ...]:
        """The values for a stage; those that nothing else needs are forgotten."""
        taken = tuple([self._values[key] for key, _ in stage.takes])
        for key, _ in stage.takes:
            self._uses[key] -= 1
            if not self._uses[key]:
                del self._values[key]
        return taken
