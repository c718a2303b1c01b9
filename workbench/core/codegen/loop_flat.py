"""Loops whose lines run along the first dimension, the one that the calls share out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.expressions import (
    ExpressionEmitter,
    emit_invariants,
    evaluate_together,
    invariant_steps,
)
from workbench.core.codegen.loop_access import Line, first_lanes, line_pointers
from workbench.core.codegen.loop_cost import weight
from workbench.core.codegen.loop_frame import (
    BEGIN,
    END,
    CountedLoop,
    Frame,
    integer,
    minus,
    plus,
    smaller,
)
from workbench.core.codegen.loop_reductions import Reduction, stripe_vectors
from workbench.core.codegen.loop_shape import masks_are_native
from workbench.core.codegen.specs import Code, LoopSpec, Step
from workbench.core.codegen.target import FAR_BYTES, ITEM_BYTES, Target

#: More instructions than this are there once only, with a mask, and not for full vectors as well.
_LONG_TEXT = 40.0

#: Vectors of a round, so that one is computed while another waits.
_VECTORS = 2


def flat_code(spec: LoopSpec, lanes: int, target: Target, block: int) -> Code:
    """The code of a loop whose vectors are along its first dimension.

    `block` is how many elements leave one part of each partial.
    """
    return _FlatWriter(spec, lanes, target, block).code()


class _FlatWriter:
    """Writes the loop; there is one pass, for nothing is reduced along a line but partials."""

    def __init__(self, spec: LoopSpec, lanes: int, target: Target, block: int) -> None:
        self._frame = Frame("flat", target)
        self._emitter = self._frame.emitter
        self._spec = spec
        self._lanes = lanes
        self._block = block
        self._pointers = [self._frame.pointer(n) for n in range(len(spec.operands))]
        self._reductions = [
            Reduction(partial.function, spec.operands[partial.operand].dtype)
            for partial in spec.partials
        ]
        self._stored = {store.operand for store in spec.stores}
        self._roots = [store.step for store in spec.stores]
        self._roots += [partial.step for partial in spec.partials]
        self._invariants: Mapping[int, Register] = emit_invariants(
            self._emitter,
            spec.steps,
            spec.operands,
            self._pointers,
            lanes,
            roots=self._roots,
            stored=self._stored,
        )
        self._far = self._far_operands()
        self._check_stores()
        native = masks_are_native([operand.dtype for operand in spec.operands], target)
        self._long = weight(spec.steps) > _LONG_TEXT and native and lanes > 1

    def _far_operands(self) -> list[int]:
        """The operands that are read from memory that is far, one element after the other."""
        spec, count = self._spec, math.prod(self._spec.shape)
        loaded = {int(step.value or 0) for step in spec.steps if step.function == "load"}
        return [
            number
            for number, operand in enumerate(spec.operands)
            if number in loaded
            and operand.strides == (1,)
            and count * ITEM_BYTES[operand.dtype] >= FAR_BYTES
        ]

    def _check_stores(self) -> None:
        """Many different elements do not go to one."""
        operands = self._spec.operands
        same = invariant_steps(
            self._spec.steps,
            lambda step: step.function == "load" and operands[int(step.value or 0)].strides[0] == 0,
        )
        for store in self._spec.stores:
            single = self._spec.shape[0] <= 1 or operands[store.operand].strides[0]
            if not single and store.step not in same:
                raise ValueError(
                    f"step {store.step} differs from element to element, but operand "
                    f"{store.operand} has one element for all of them"
                )

    def code(self) -> Code:
        emitter, spec = self._emitter, self._spec
        with ExitStack() as loops:
            indices = []
            for dimension in range(1, len(spec.shape)):
                loop = CountedLoop(emitter, 0, spec.shape[dimension])
                indices.append((dimension, loops.enter_context(loop.body())))
            line = Line(
                emitter,
                [operand.dtype for operand in spec.operands],
                line_pointers(emitter, spec.operands, self._pointers, indices),
                [operand.strides[0] for operand in spec.operands],
            )
            if spec.partials:
                self._blocks(line)
            else:
                self._range(line, BEGIN, END, [])
        return self._frame.code()

    def _blocks(self, line: Line) -> None:
        """Blocks of elements, each of which leaves its part of the reductions."""
        emitter = self._emitter
        vectors = stripe_vectors(self._lanes)
        start = [
            reduction.start(emitter, self._lanes)
            for reduction in self._reductions
            for _ in range(vectors)
        ]
        blocks = CountedLoop(emitter, BEGIN, END, self._block)
        with blocks.body() as first:
            stop = smaller(emitter, emitter.binary("add", first, integer(self._block)), END)
            slots = self._range(line, first, stop, start)
            number = emitter.binary("udiv", first, integer(self._block))
            for place, partial in enumerate(self._spec.partials):
                own = slots[place * vectors : (place + 1) * vectors]
                value = self._reductions[place].finish(emitter, own, self._lanes)
                dtype = self._spec.operands[partial.operand].dtype
                parts = Line(emitter, [dtype], [self._pointers[partial.operand]], [1])
                parts.store(0, value, number, 1)

    def _range(
        self, line: Line, begin: Register, end: Register, slots: Sequence[Register]
    ) -> Sequence[Register]:
        """The elements between two indices; gives the slots with them added."""
        emitter, lanes = self._emitter, self._lanes
        vectors = self._vectors_of_round()
        if not self._long:
            width = vectors * lanes
            count = emitter.binary("sub", end, begin)
            full = emitter.binary("and", count, integer(-width))
            middle = emitter.binary("add", begin, full)
            slots = self._loop(line, begin, middle, vectors, slots, masked=False)
            if lanes == 1:
                return slots
            begin = middle
            vectors = vectors if self._reductions else 1
        return self._loop(line, begin, end, vectors, slots, masked=True)

    def _loop(
        self,
        line: Line,
        begin: Register,
        end: Register,
        vectors: int,
        slots: Sequence[Register],
        masked: bool,
    ) -> Sequence[Register]:
        emitter, lanes = self._emitter, self._lanes
        width = stripe_vectors(lanes)
        loop = CountedLoop(emitter, begin, end, vectors * lanes, slots)
        with loop.body() as index:
            if not masked:
                for number in self._far:
                    line.prefetch(number, index, vectors * lanes, number in self._stored)
            groups = [
                list(loop.carried[place * width : (place + 1) * width])
                for place in range(len(self._reductions))
            ]
            rest = minus(emitter, end, index)
            places = []
            for first in range(0, vectors * lanes, lanes):
                mask = first_lanes(emitter, plus(emitter, rest, -first), lanes) if masked else None
                places.append((plus(emitter, index, first), mask))
            elements = [self._element(line, where, mask) for where, mask in places]
            evaluate_together(elements, self._roots)
            for number, ((where, mask), element) in enumerate(zip(places, elements, strict=True)):
                self._write(line, element, where, mask)
                for place, partial in enumerate(self._spec.partials):
                    reduction = self._reductions[place]
                    dtype = self._spec.steps[partial.step].dtype
                    value = reduction.cast(emitter, element.values[partial.step], dtype, lanes)
                    value = reduction.masked(emitter, value, mask, lanes)
                    slot = groups[place][number % width]
                    groups[place][number % width] = reduction.combine(emitter, slot, value, lanes)
            # The slot that comes next moves to the front where a round has fewer than all.
            turn = vectors % width
            loop.carry([slot for group in groups for slot in group[turn:] + group[:turn]])
        return loop.carried

    def _vectors_of_round(self) -> int:
        """As many vectors as keep the processor busy while each waits for its own steps."""
        vectors = 1 if self._lanes == 1 else _VECTORS
        if self._long:
            vectors *= 2
        if any(reduction.kind in ("max", "min") for reduction in self._reductions):
            # The sign of a zero may depend on the order, and slots take turns.
            return stripe_vectors(self._lanes)
        return vectors

    def _element(
        self, line: Line, index: Register | int, mask: Register | None
    ) -> ExpressionEmitter:
        """The values of one vector."""

        def source(_: int, step: Step) -> Register:
            assert isinstance(step.value, int)
            return line.load(step.value, index, self._lanes, mask)

        return ExpressionEmitter(
            self._emitter,
            self._spec.steps,
            self._lanes,
            source,
            known=self._invariants,
            mask=mask,
            flag=lambda operand: self._pointers[operand],
        )

    def _write(
        self,
        line: Line,
        element: ExpressionEmitter,
        index: Register | int,
        mask: Register | None,
    ) -> None:
        """What is stored of a vector, and checked."""
        for store in self._spec.stores:
            value = element.values[store.step]
            line.store(store.operand, value, index, self._lanes, mask)
        element.checks()
