"""One line of a loop: its passes, in registers where it is short, or else as loops over vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.expressions import ExpressionEmitter, evaluate_together
from workbench.core.codegen.loop_access import Line, first_lanes, lane_numbers
from workbench.core.codegen.loop_frame import CountedLoop, Frame, integer, minus, plus, smaller
from workbench.core.codegen.loop_kept import KeptValues
from workbench.core.codegen.loop_partials import PartialReductions
from workbench.core.codegen.loop_passes import Pass, Passes
from workbench.core.codegen.loop_reductions import (
    BLOCK_ROUNDS,
    Reduction,
    stripe_vectors,
)
from workbench.core.codegen.loop_shape import masks_are_native
from workbench.core.codegen.loop_slots import SlotGroups, Slots
from workbench.core.codegen.specs import Step
from workbench.core.codegen.target import Target

#: More instructions than this are not repeated for the sake of speed.
_LONG_TEXT = 60.0

#: A line is held in registers if that takes no more instructions than this.
_LONGEST_UNROLLED = 450.0

#: Vectors that are computed step by step together, one while another waits.
_TOGETHER = 4


@dataclass
class _Place:
    """Where on a line a vector is, and which of its lanes count."""

    index: Register | int
    mask: Register | None


class LineWriter:
    """Writes the code of a line; `count`, its elements, is a constant or known at run time."""

    def __init__(
        self,
        frame: Frame,
        passes: Passes,
        count: Register | int,
        lanes: int,
        target: Target,
        partials: PartialReductions,
        invariants: Mapping[int, Register],
        flag: Callable[[int], Register],
    ) -> None:
        self._emitter: Emitter = frame.emitter
        self._passes = passes
        self._steps: Sequence[Step] = passes.spec.steps
        self._count = count
        self._lanes = lanes
        self._partials = partials
        self._invariants = invariants
        self._flag = flag
        self._vectors = stripe_vectors(lanes)
        self.unrolled = self._fits_registers(target)
        self._kept: KeptValues | None = None
        if not self.unrolled and isinstance(count, int):
            self._kept = KeptValues(frame, passes, count, lanes)
        dtypes = [operand.dtype for operand in passes.spec.operands]
        self._masks_are_native = masks_are_native(dtypes, target)

    @property
    def _memory(self) -> KeptValues:
        assert self._kept is not None, "a line in registers, or of unknown length, keeps no values"
        return self._kept

    def _fits_registers(self, target: Target) -> bool:
        if not isinstance(self._count, int):
            return False
        vectors = -(-self._count // self._lanes)
        instructions = vectors * self._passes.element_weight()
        return vectors <= 1 or (
            vectors <= target.registers // 4 and instructions <= _LONGEST_UNROLLED
        )

    def write(self, line: Line) -> None:
        """The code for a line."""

        def source(index: int, step: Step) -> Register:
            assert isinstance(step.value, int)
            return line.load(step.value, 0, self._lanes)

        shared = ExpressionEmitter(
            self._emitter, self._steps, self._lanes, source, known=self._invariants, flag=self._flag
        )
        roots = self._passes.line_roots()
        if self._count == 0:
            # A check holds where there is no element.
            roots = [root for root in roots if self._steps[root].function != "check"]
        places = self._places() if self.unrolled else []
        elements = [self._element(line, shared, place) for place in places]
        for number, work in enumerate(self._passes.passes):
            shared.evaluate(r for r in roots if self._passes.level[r] <= number)
            if self.unrolled:
                results = self._unrolled_pass(line, work, shared, places, elements)
            else:
                results = self._looped_pass(line, work, shared)
            self._finish(work, results, shared)
        shared.evaluate(roots)
        for store in self._passes.line_stores:
            line.store(store.operand, shared.values[store.step], 0, self._lanes)

    # -- what a pass reduces -----------------------------------------------------------------

    def _reductions(self, work: Pass) -> list[tuple[Reduction, int]]:
        """What is reduced along the line, with the step that is."""
        steps = self._steps
        found = [
            (Reduction(steps[index].function, steps[index].dtype), steps[index].arguments[0])
            for index in work.reductions
        ]
        found += [
            (self._partials.reduction(partial), partial.step)
            for partial in work.partials
            if partial.over == "all"
        ]
        return found

    def _slot_groups(self, work: Pass) -> SlotGroups:
        reductions = [reduction for reduction, _ in self._reductions(work)]
        return SlotGroups(self._emitter, reductions, self._lanes)

    def _finish(self, work: Pass, results: list[Slots], shared: ExpressionEmitter) -> None:
        for (reduction, _), index, slots in zip(
            self._reductions(work), work.reductions, results, strict=False
        ):
            scalar = reduction.finish(self._emitter, slots, self._lanes)
            shared.values[index] = self._emitter.splat(scalar, self._lanes)
        alls = [partial for partial in work.partials if partial.over == "all"]
        for partial, slots in zip(alls, results[len(work.reductions) :], strict=True):
            self._partials.add(partial, slots)

    # -- short lines -------------------------------------------------------------------------

    def _places(self) -> list[_Place]:
        assert isinstance(self._count, int)
        return [
            _Place(index, first_lanes(self._emitter, self._count - index, self._lanes))
            for index in range(0, self._count, self._lanes)
        ]

    def _unrolled_pass(
        self,
        line: Line,
        work: Pass,
        shared: ExpressionEmitter,
        places: list[_Place],
        elements: list[ExpressionEmitter],
    ) -> list[Slots]:
        assert isinstance(self._count, int)
        rounds = self._count // (self._vectors * self._lanes)
        groups = self._slot_groups(work)
        totals, block = groups.empty(), groups.empty()
        for element in elements:
            element.values.update(shared.values)
        for first in range(0, len(elements), _TOGETHER):
            evaluate_together(elements[first : first + _TOGETHER], self._passes.roots(work))
        for number, (place, element) in enumerate(zip(places, elements, strict=True)):
            slots = block if number < rounds * self._vectors else totals
            self._reduce(work, slots, number % self._vectors, place, element)
        for place, element in zip(places, elements, strict=True):
            self._write_elements(line, work, place, element)
        return groups.combined(totals, block)

    # -- long lines --------------------------------------------------------------------------

    def _looped_pass(self, line: Line, work: Pass, shared: ExpressionEmitter) -> list[Slots]:
        if self._is_long(work):
            self._masked_rounds(line, work, shared)
            return []
        emitter = self._emitter
        groups = self._slot_groups(work)
        width = self._vectors * self._lanes
        full, rest = self._split(width)
        totals = self._stripe(line, work, shared, full, rest, groups.empty())
        if full == 0:
            return totals
        start = groups.identities()
        if (isinstance(full, int) and full <= BLOCK_ROUNDS * width) or not start:
            loop = CountedLoop(emitter, 0, full, width, start)
            self._rounds(loop, line, work, shared)
            return groups.combined(totals, groups.grouped(loop.carried))
        blocks = CountedLoop(emitter, 0, full, BLOCK_ROUNDS * width, groups.flat(totals))
        with blocks.body() as begin:
            end = integer(plus(emitter, begin, BLOCK_ROUNDS * width))
            loop = CountedLoop(emitter, begin, smaller(emitter, end, integer(full)), width, start)
            self._rounds(loop, line, work, shared)
            before = groups.grouped(blocks.carried)
            blocks.carry(groups.flat(groups.combined(before, groups.grouped(loop.carried))))
        return groups.grouped(blocks.carried)

    def _split(self, width: int) -> tuple[Register | int, Register | int]:
        """The elements of whole rounds, and the others."""
        if isinstance(self._count, int):
            return self._count // width * width, self._count % width
        full = self._emitter.binary("and", self._count, integer(-width))
        return full, self._emitter.binary("sub", self._count, full)

    def _rounds(self, loop: CountedLoop, line: Line, work: Pass, shared: ExpressionEmitter) -> None:
        groups = self._slot_groups(work)
        with loop.body() as index:
            slots = groups.grouped(loop.carried)
            width = self._vectors * self._lanes
            loop.carry(groups.flat(self._stripe(line, work, shared, index, width, slots)))

    def _is_long(self, work: Pass) -> bool:
        """True if a pass is better there once, with masks, than for whole rounds and the rest."""
        in_memory = work.keeps or work.reuses or any(p.over == "rows" for p in work.partials)
        return (
            isinstance(self._count, int)
            and self._masks_are_native
            and not in_memory
            and not self._reductions(work)
            and self._passes.element_weight() > _LONG_TEXT
        )

    def _masked_rounds(self, line: Line, work: Pass, shared: ExpressionEmitter) -> None:
        """Rounds of up to four vectors, as many as leave the fewest of them empty."""
        emitter, lanes = self._emitter, self._lanes
        assert isinstance(self._count, int)
        needed = -(-self._count // lanes)
        vectors = min((4, 3, 2), key=lambda each: -(-needed // each) * each)
        width = vectors * lanes
        with CountedLoop(emitter, 0, self._count, width).body() as index:
            rest: Register | int = width
            if self._count % width:
                rest = minus(emitter, self._count, index)
            self._stripe(line, work, shared, index, rest, [], vectors)

    def _stripe(
        self,
        line: Line,
        work: Pass,
        shared: ExpressionEmitter,
        index: Register | int,
        count: Register | int,
        slots: list[Slots],
        vectors: int | None = None,
    ) -> list[Slots]:
        """Some vectors next to each other, of `count` elements at most; adds them to slots."""
        emitter = self._emitter
        places: list[_Place] = []
        elements: list[ExpressionEmitter] = []
        for number in range(vectors or self._vectors):
            first = number * self._lanes
            rest = plus(emitter, count, -first)
            if isinstance(rest, int) and rest <= 0:
                break
            place = _Place(plus(emitter, index, first), first_lanes(emitter, rest, self._lanes))
            element = self._element(line, shared, place)
            for reused in work.reuses:
                element.values[reused] = self._memory.load(reused, place.index)
            places.append(place)
            elements.append(element)
        evaluate_together(elements, self._passes.roots(work))
        for number, (place, element) in enumerate(zip(places, elements, strict=True)):
            self._reduce(work, slots, number, place, element)
            self._write_elements(line, work, place, element)
        return slots

    # -- elements ----------------------------------------------------------------------------

    def _element(self, line: Line, shared: ExpressionEmitter, place: _Place) -> ExpressionEmitter:
        def source(index: int, step: Step) -> Register:
            if step.function == "column":
                return lane_numbers(self._emitter, self._lanes, place.index)
            assert isinstance(step.value, int)
            return line.load(step.value, place.index, self._lanes, place.mask)

        return ExpressionEmitter(
            self._emitter,
            self._steps,
            self._lanes,
            source,
            known=shared.values,
            mask=place.mask,
            flag=self._flag,
        )

    def _reduce(
        self,
        work: Pass,
        slots: list[Slots],
        number: int,
        place: _Place,
        element: ExpressionEmitter,
    ) -> None:
        """Adds the values of a vector to the slots that they belong to."""
        emitter, lanes = self._emitter, self._lanes
        for (reduction, step), group in zip(self._reductions(work), slots, strict=True):
            value = element.values[step]
            value = reduction.cast(emitter, value, self._steps[step].dtype, lanes)
            value = reduction.masked(emitter, value, place.mask, lanes)
            before = group[number]
            if before is not None:
                value = reduction.combine(emitter, before, value, lanes)
            group[number] = value

    def _write_elements(
        self, line: Line, work: Pass, place: _Place, element: ExpressionEmitter
    ) -> None:
        for store in work.stores:
            value = element.values[store.step]
            line.store(store.operand, value, place.index, self._lanes, place.mask)
        for partial in work.partials:
            if partial.over == "rows":
                value = element.values[partial.step]
                dtype = self._steps[partial.step].dtype
                self._partials.add_columns(partial, value, dtype, place.index)
        if not self.unrolled:
            for kept in work.keeps:
                self._memory.save(kept, place.index, element.values[kept])
        element.evaluate(work.checks)
