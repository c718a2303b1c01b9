"""A task's part of one step as a state machine: what came, what ended, what to do next.

Events go in, instructions come out; who performs them is `workbench.cluster.execution.task`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.plan.partition.parts import Part, StagePart


@dataclass(frozen=True)
class RunStage:
    """Run a stage with these values, in the order of what it takes."""

    stage: StagePart
    values: tuple[Any, ...]


@dataclass(frozen=True)
class SendValues:
    """Send values to another task, and tell it which stage has ended where it waits for that."""

    task: str
    values: tuple[tuple[str, Any], ...]
    ended: int | None


@dataclass(frozen=True)
class Finished:
    """The part is done: what the user gets of it."""

    values: dict[str, Any]


Instruction = RunStage | SendValues | Finished


class PartRun:
    """One run of a part. Values may come before it begins, and once only."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._values: dict[str, Any] = {}
        self._ended: set[int] = set()
        self._waiting: dict[int, StagePart] = {stage.number: stage for stage in part.stages}
        self._running: set[int] = set()
        self._uses: dict[str, int] = {}
        for stage in part.stages:
            for key, _ in stage.takes:
                self._uses[key] = self._uses.get(key, 0) + 1
        self._results: dict[str, Any] = {}
        self._has_begun = False
        self.is_finished = False

    def begin(self, feeds: Mapping[str, Any]) -> list[Instruction]:
        """The step begins, with what the user feeds."""
        self._has_begun = True
        self._values.update(feeds)
        return self._proceed()

    def arrived(self, values: Iterable[tuple[str, Any]], ended: int | None) -> list[Instruction]:
        """Another task sent values, and has ended a stage perhaps."""
        for key, value in values:
            if key in self._uses:
                self._values[key] = value
        if ended is not None:
            self._ended.add(ended)
        return self._proceed()

    def stage_ended(self, number: int, values: Mapping[str, Any]) -> list[Instruction]:
        """A stage has run and gave these values."""
        self._running.remove(number)
        self._ended.add(number)
        stage = next(s for s in self._part.stages if s.number == number)
        instructions: list[Instruction] = []
        for task, keys, tells_end in stage.sends:
            sent = tuple((key, values[key]) for key in keys)
            instructions.append(SendValues(task, sent, number if tells_end else None))
        for key in stage.returns:
            self._results[key] = values[key]
        for key, value in values.items():
            if self._uses.get(key):
                self._values[key] = value
        return instructions + self._proceed()

    def missing(self) -> tuple[list[str], list[int]]:
        """What waiting stages lack: tensors, and the ends of other stages."""
        keys = [k for s in self._waiting.values() for k, _ in s.takes if k not in self._values]
        ends = [n for s in self._waiting.values() for n in s.after if n not in self._ended]
        return list(dict.fromkeys(keys)), list(dict.fromkeys(ends))

    def _proceed(self) -> list[Instruction]:
        if not self._has_begun or self.is_finished:
            return []
        instructions: list[Instruction] = []
        for number, stage in list(self._waiting.items()):
            if all(n in self._ended for n in stage.after) and all(
                key in self._values for key, _ in stage.takes
            ):
                del self._waiting[number]
                self._running.add(number)
                instructions.append(RunStage(stage, self._take(stage)))
        if not self._waiting and not self._running:
            self.is_finished = True
            instructions.append(Finished(self._results))
        return instructions

    def _take(self, stage: StagePart) -> tuple[Any, ...]:
        """The values for a stage; those that nothing else needs are forgotten."""
        taken = tuple(self._values[key] for key, _ in stage.takes)
        for key, _ in stage.takes:
            self._uses[key] -= 1
            if not self._uses[key]:
                del self._values[key]
        return taken
