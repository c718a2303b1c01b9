"""One line of a loop: its passes, in registers where it is short, or else as loops over vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbench.core.codegen.emitter import Emitter, Register, memory_type
from workbench.core.codegen.expressions import ExpressionEmitter, evaluate_together
from workbench.core.codegen.loop_access import Line, first_lanes, lane_numbers
from workbench.core.codegen.loop_frame import CountedLoop, Frame, integer, plus, smaller
from workbench.core.codegen.loop_partials import PartialReductions
from workbench.core.codegen.loop_passes import Pass, Passes
from workbench.core.codegen.loop_reductions import (
    BLOCK_ROUNDS,
    SLOTS,
    Reduction,
    stripe_vectors,
)
from workbench.core.codegen.loop_shape import register_bytes
from workbench.core.codegen.specs import Step
from workbench.core.codegen.target import ITEM_BYTES, Target

#: More instructions than this are not repeated for the sake of speed.
_LONG_TEXT = 60.0

#: A line is held in registers if that takes no more instructions than this.
_LONGEST_UNROLLED = 450.0

#: Vectors that are computed step by step together, one while another waits.
_TOGETHER = 4

#: The vectors of one reduction; None where no element has come yet.
Slots = list[Register | None]


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
        self._rows: dict[int, Register] = {}
        if not self.unrolled:
            self._allocate(frame)

    def _fits_registers(self, target: Target) -> bool:
        if not isinstance(self._count, int):
            return False
        vectors = -(-self._count // self._lanes)
        instructions = vectors * self._passes.element_weight()
        return vectors <= 1 or (
            vectors <= target.registers // 4 and instructions <= _LONGEST_UNROLLED
        )

    def _allocate(self, frame: Frame) -> None:
        """Memory for the values that passes leave each other."""
        for work in self._passes.passes:
            for index in work.keeps:
                assert isinstance(self._count, int), "a line of unknown length keeps no values"
                size = ITEM_BYTES[_memory_dtype(self._steps[index].dtype)]
                self._rows[index] = frame.scratch((self._count + SLOTS + self._lanes) * size)

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
        totals = self._no_slots(work)
        block = self._no_slots(work)
        for element in elements:
            element.values.update(shared.values)
        for first in range(0, len(elements), _TOGETHER):
            evaluate_together(elements[first : first + _TOGETHER], self._passes.roots(work))
        for number, (place, element) in enumerate(zip(places, elements, strict=True)):
            slots = block if number < rounds * self._vectors else totals
            self._reduce(work, slots, number % self._vectors, place, element)
        for place, element in zip(places, elements, strict=True):
            self._write_elements(line, work, place, element)
        return self._combined(work, totals, block)

    # -- long lines --------------------------------------------------------------------------

    def _looped_pass(self, line: Line, work: Pass, shared: ExpressionEmitter) -> list[Slots]:
        emitter = self._emitter
        vectors = self._vectors
        if not self._reductions(work) and self._passes.element_weight() > _LONG_TEXT:
            vectors = 1
        width = vectors * self._lanes
        if isinstance(self._count, int):
            full: Register | int = self._count // width * width
            totals = self._stripe(line, work, shared, full, self._count % width, vectors)
        else:
            full = emitter.binary("and", self._count, integer(-width))
            rest = emitter.binary("sub", self._count, full)
            totals = self._stripe(line, work, shared, full, rest, vectors)
        if full == 0:
            return totals
        start = self._identities(work)
        if (isinstance(full, int) and full <= BLOCK_ROUNDS * width) or not start:
            loop = CountedLoop(emitter, 0, full, width, start)
            self._rounds(loop, line, work, shared, vectors)
            return self._combined(work, totals, self._grouped(work, loop.carried))
        before = [slot for slots in totals for slot in slots]
        first = [slot or begin for slot, begin in zip(before, start, strict=True)]
        blocks = CountedLoop(emitter, 0, full, BLOCK_ROUNDS * width, first)
        with blocks.body() as begin:
            end = smaller(
                emitter, integer(plus(emitter, begin, BLOCK_ROUNDS * width)), integer(full)
            )
            loop = CountedLoop(emitter, begin, end, width, start)
            self._rounds(loop, line, work, shared, vectors)
            sums = self._combined(
                work, self._grouped(work, blocks.carried), self._grouped(work, loop.carried)
            )
            blocks.carry([slot for slots in sums for slot in slots if slot is not None])
        return self._grouped(work, blocks.carried)

    def _rounds(
        self, loop: CountedLoop, line: Line, work: Pass, shared: ExpressionEmitter, vectors: int
    ) -> None:
        with loop.body() as index:
            slots = self._grouped(work, loop.carried)
            self._stripe(line, work, shared, index, vectors * self._lanes, vectors, slots)
            loop.carry([slot for group in slots for slot in group if slot is not None])

    def _stripe(
        self,
        line: Line,
        work: Pass,
        shared: ExpressionEmitter,
        index: Register | int,
        count: Register | int,
        vectors: int,
        slots: list[Slots] | None = None,
    ) -> list[Slots]:
        """Some vectors next to each other, of `count` elements at most."""
        emitter = self._emitter
        slots = self._no_slots(work) if slots is None else slots
        places: list[_Place] = []
        elements: list[ExpressionEmitter] = []
        for number in range(vectors):
            first = number * self._lanes
            rest = plus(emitter, count, -first)
            if isinstance(rest, int) and rest <= 0:
                break
            place = _Place(plus(emitter, index, first), first_lanes(emitter, rest, self._lanes))
            element = self._element(line, shared, place)
            for reused in work.reuses:
                element.values[reused] = self._reload(reused, place)
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
                self._save(kept, place, element.values[kept])
        element.evaluate(work.checks)

    def _save(self, index: int, place: _Place, value: Register) -> None:
        """Keeps a whole vector: the row in memory has room for lanes that do not count."""
        dtype = _memory_dtype(self._steps[index].dtype)
        self._emitter.store_element(value, self._row(index, place), dtype, self._lanes)

    def _reload(self, index: int, place: _Place) -> Register:
        dtype = _memory_dtype(self._steps[index].dtype)
        return self._emitter.load_element(self._row(index, place), dtype, self._lanes)

    def _row(self, index: int, place: _Place) -> Register:
        kind = memory_type(_memory_dtype(self._steps[index].dtype))
        return self._emitter.offset(self._rows[index], kind, place.index)

    # -- slots -------------------------------------------------------------------------------

    def _no_slots(self, work: Pass) -> list[Slots]:
        return [[None] * self._vectors for _ in self._reductions(work)]

    def _identities(self, work: Pass) -> list[Register]:
        return [
            reduction.start(self._emitter, self._lanes)
            for reduction, _ in self._reductions(work)
            for _ in range(self._vectors)
        ]

    def _grouped(self, work: Pass, registers: Sequence[Register]) -> list[Slots]:
        """The slots of each reduction, from those of all of them."""
        width = self._vectors
        return [
            list(registers[place * width : (place + 1) * width])
            for place in range(len(self._reductions(work)))
        ]

    def _combined(self, work: Pass, a: list[Slots], b: list[Slots]) -> list[Slots]:
        return [
            [
                reduction.combine(self._emitter, x, y, self._lanes)
                if x is not None and y is not None
                else x or y
                for x, y in zip(first, second, strict=True)
            ]
            for (reduction, _), first, second in zip(self._reductions(work), a, b, strict=True)
        ]


def _memory_dtype(dtype: str) -> str:
    """What a value is kept as: not rounded again."""
    return "float32" if register_bytes(dtype) != ITEM_BYTES[dtype] else dtype
