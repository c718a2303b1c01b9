"""How often a loop goes over its lines, and what it does each time.

A reduction ends a pass; what depends on its result belongs to the next one. Values that a later
pass needs again are computed again where that is cheap, or else kept in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from workbench.core.codegen.expressions import REDUCTIONS, SOURCES
from workbench.core.codegen.loop_cost import step_weight
from workbench.core.codegen.specs import LoopSpec, Partial, Store

#: A value that takes more instructions than this is kept for a later pass, not computed again.
_CHEAP = 6.0

#: Instructions of a load whose elements are not next to each other.
_GATHER_WEIGHT = 16.0


@dataclass
class Pass:
    """What is done in one pass over a line. Numbers are those of steps."""

    reductions: list[int] = field(default_factory=list)
    partials: list[Partial] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    checks: list[int] = field(default_factory=list)
    #: Values that a later pass takes from memory, and those that this one does.
    keeps: list[int] = field(default_factory=list)
    reuses: list[int] = field(default_factory=list)


class Passes:
    """The passes over the lines of a loop, which run along the dimension `axis`.

    `can_keep` is False where there is no memory for values that a later pass needs.
    """

    def __init__(self, spec: LoopSpec, axis: int, can_keep: bool = True) -> None:
        self.spec = spec
        self.strides = [operand.strides[axis] for operand in spec.operands]
        #: For each step the first pass that has its value.
        self.level: list[int] = []
        #: Steps that are the same all along a line.
        self.uniform: set[int] = set()
        for index in range(len(spec.steps)):
            self._classify(index)
        #: What is stored once for each line.
        self.line_stores = [s for s in spec.stores if not self.strides[s.operand]]
        for store in self.line_stores:
            if store.step not in self.uniform:
                raise ValueError(
                    f"step {store.step} differs along a line, but operand {store.operand} has "
                    "one element for the whole line"
                )
        self.passes = [Pass() for _ in range(self._count())]
        self._fill()
        if can_keep:
            self._keep()

    def arguments_of_reductions(self, work: Pass) -> list[int]:
        """What the reductions of a pass reduce."""
        return [self.spec.steps[index].arguments[0] for index in work.reductions]

    def roots(self, work: Pass) -> list[int]:
        """The steps that a pass needs at each element, apart from its checks."""
        found = self.arguments_of_reductions(work)
        found += [partial.step for partial in work.partials]
        found += [store.step for store in work.stores]
        return list(dict.fromkeys([*found, *work.keeps]))

    def line_roots(self) -> list[int]:
        """The steps that are evaluated once for each line because something else needs them."""
        found = {store.step for store in self.line_stores}
        for work in self.passes:
            needed = self._needed([*self.roots(work), *work.checks], set(work.reuses))
            found.update(index for index in needed if index in self.uniform)
        found.update(
            index
            for index, step in enumerate(self.spec.steps)
            if step.function == "check" and index in self.uniform
        )
        return sorted(found)

    def element_weight(self) -> float:
        """Instructions for one vector of a line, when nothing is computed twice."""
        return sum(
            self._weight(index)
            for index in range(len(self.spec.steps))
            if index not in self.uniform
        )

    def _classify(self, index: int) -> None:
        step = self.spec.steps[index]
        before = max([self.level[argument] for argument in step.arguments], default=0)
        if step.function in REDUCTIONS:
            self.level.append(before + 1)
            self.uniform.add(index)
            return
        self.level.append(before)
        if step.function == "load":
            same = self.strides[_operand(step.value)] == 0
        else:
            same = step.function not in SOURCES and self.uniform.issuperset(step.arguments)
        if same:
            self.uniform.add(index)

    def _count(self) -> int:
        ends = [0]
        for index, step in enumerate(self.spec.steps):
            if step.function in REDUCTIONS:
                ends.append(self.level[index])
            elif step.function == "check" and index not in self.uniform:
                ends.append(self.level[index] + 1)
        ends += [self.level[partial.step] + 1 for partial in self.spec.partials]
        ends += [self.level[s.step] + 1 for s in self.spec.stores if self.strides[s.operand]]
        return max(ends)

    def _fill(self) -> None:
        for index, step in enumerate(self.spec.steps):
            if step.function in REDUCTIONS:
                self.passes[self.level[index] - 1].reductions.append(index)
            elif step.function == "check" and index not in self.uniform:
                self.passes[self.level[index]].checks.append(index)
        for partial in self.spec.partials:
            self.passes[self.level[partial.step]].partials.append(partial)
        for store in self.spec.stores:
            if self.strides[store.operand]:
                # In the last pass, for an operand may be where another is that is read till then.
                self.passes[-1].stores.append(store)

    def _keep(self) -> None:
        kept: dict[int, int] = {}
        for number, work in enumerate(self.passes):
            before = {index for index, first in kept.items() if first < number}
            roots = [*self.roots(work), *work.checks]
            needed = self._needed(roots, before)
            for index in sorted(needed):
                if index in kept or index in self.uniform or self.level[index] >= number:
                    continue
                users = [u for u in needed if index in self.spec.steps[u].arguments]
                border = index in roots or any(self.level[user] >= number for user in users)
                first = self._first_use(index, number)
                if border and first < number and self._recomputing(index, before) > _CHEAP:
                    kept[index] = first
        for index, first in kept.items():
            self.passes[first].keeps.append(index)
        for number, work in enumerate(self.passes):
            before = {index for index, first in kept.items() if first < number}
            needed = self._needed([*self.roots(work), *work.checks], before)
            work.reuses = sorted(needed & before)

    def _first_use(self, index: int, end: int) -> int:
        """The first pass before one that evaluates a step, or else that one."""
        for number, work in enumerate(self.passes[:end]):
            if index in self._needed([*self.roots(work), *work.checks], ()):
                return number
        return end

    def _needed(self, roots: Iterable[int], border: Collection[int]) -> set[int]:
        """The steps on the way to roots; none that only steps of the border or lines need."""
        found: set[int] = set()
        waiting = list(roots)
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                if index not in border and index not in self.uniform:
                    waiting.extend(self.spec.steps[index].arguments)
        return found

    def _recomputing(self, index: int, kept: Collection[int]) -> float:
        """Instructions to have a value once more."""
        found = self._needed([index], kept) - self.uniform
        return sum(1.0 if i in kept else self._weight(i) for i in found)

    def _weight(self, index: int) -> float:
        step = self.spec.steps[index]
        if step.function == "load" and self.strides[_operand(step.value)] != 1:
            return _GATHER_WEIGHT
        return step_weight(step)


def _operand(value: float | int | bool | None) -> int:
    assert isinstance(value, int)
    return value
