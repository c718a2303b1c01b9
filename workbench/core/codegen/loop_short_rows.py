"""Loops over rows of less than half a vector: several rows, and parts of them, to a vector.

Rows that follow each other in memory are taken as one line. What all rows share, such as the mean
of each color of an image, repeats along it: after some whole vectors it begins anew, and so many
are a round.
"""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Emitter, Register, memory_type, vector_type
from workbench.core.codegen.expressions import (
    ExpressionEmitter,
    emit_invariants,
    evaluate_together,
)
from workbench.core.codegen.loop_access import Line, first_lanes, load_scattered
from workbench.core.codegen.loop_cost import weight
from workbench.core.codegen.loop_frame import BEGIN, END, CountedLoop, Frame, integer, minus, plus
from workbench.core.codegen.loop_shape import has_lines, masks_are_native
from workbench.core.codegen.specs import Code, LoopSpec, Step
from workbench.core.codegen.target import ITEM_BYTES, Target

#: A round has no more vectors than this, and no more instructions.
_MOST_VECTORS = 8
_LONGEST_ROUND = 120.0

#: Vectors that are computed step by step together.
_TOGETHER = 4


def vectors_of_round(spec: LoopSpec, lanes: int, target: Target) -> int:
    """The vectors after which rows begin anew; 0 if a loop is not of this kind.

    All operands are whole rows next to each other, or a row that all share, or one element.
    """
    if len(spec.shape) != 2 or spec.order != "rows" or has_lines(spec) or spec.partials:
        return 0
    columns = spec.shape[1]
    stored = {store.operand for store in spec.stores}
    for number, operand in enumerate(spec.operands):
        shared = operand.strides in ((0, 1), (0, 0)) and number not in stored
        if operand.strides != (columns, 1) and not shared:
            return 0
        if operand.strides == (0, 1) and ITEM_BYTES[operand.dtype] < 4:
            # There is no instruction that gathers shorter ones.
            return 0
    if not 1 < columns <= lanes // 2 or any(step.function == "check" for step in spec.steps):
        return 0
    vectors = math.lcm(columns, lanes) // lanes
    fits = vectors <= _MOST_VECTORS and vectors * weight(spec.steps) <= _LONGEST_ROUND
    native = masks_are_native([operand.dtype for operand in spec.operands], target)
    return vectors if fits and native else 0


def short_rows_code(spec: LoopSpec, lanes: int, vectors: int, target: Target) -> Code:
    """The code of such a loop, which shares out rows: any of them may begin a round."""
    frame = Frame("short_rows", target)
    emitter = frame.emitter
    pointers = [frame.pointer(number) for number in range(len(spec.operands))]
    stored = {store.operand for store in spec.stores}
    roots = [store.step for store in spec.stores]
    invariants = emit_invariants(
        emitter, spec.steps, spec.operands, pointers, lanes, roots=roots, stored=stored
    )
    shared = _shared_rows(emitter, spec, pointers, lanes, vectors)
    dtypes = [operand.dtype for operand in spec.operands]
    line = Line(emitter, dtypes, pointers, [1] * len(dtypes))

    def element(number: int, index: Register | int, mask: Register | None) -> ExpressionEmitter:
        def source(_: int, step: Step) -> Register:
            assert isinstance(step.value, int)
            return line.load(step.value, index, lanes, mask)

        known = {**invariants, **shared[number]}
        return ExpressionEmitter(emitter, spec.steps, lanes, source, known=known)

    def emit_round(begin: Register, rest: Register | int) -> None:
        places = []
        for number in range(vectors):
            first = number * lanes
            mask = first_lanes(emitter, plus(emitter, rest, -first), lanes)
            places.append((number, plus(emitter, begin, first), mask))
        for some in range(0, vectors, _TOGETHER):
            group = places[some : some + _TOGETHER]
            elements = [element(*place) for place in group]
            evaluate_together(elements, roots)
            for (_, index, mask), values in zip(group, elements, strict=True):
                for store in spec.stores:
                    line.store(store.operand, values.values[store.step], index, lanes, mask)

    width = vectors * lanes
    begin, end = (emitter.binary("mul", row, integer(spec.shape[1])) for row in (BEGIN, END))
    rounds = emitter.binary("udiv", emitter.binary("sub", end, begin), integer(width))
    middle = emitter.binary("add", begin, emitter.binary("mul", rounds, integer(width)))
    with CountedLoop(emitter, begin, middle, width).body() as index:
        emit_round(index, width)
    with CountedLoop(emitter, middle, end, width).body() as index:
        emit_round(index, minus(emitter, end, index))
    return frame.code()


def _shared_rows(
    emitter: Emitter, spec: LoopSpec, pointers: list[Register], lanes: int, vectors: int
) -> list[dict[int, Register]]:
    """For each vector of a round the values of the steps that load rows that all share."""
    columns = spec.shape[1]
    found: list[dict[int, Register]] = [{} for _ in range(vectors)]
    for index, step in enumerate(spec.steps):
        if step.function != "load":
            continue
        assert isinstance(step.value, int)
        operand = spec.operands[step.value]
        if operand.strides != (0, 1):
            continue
        for number, values in enumerate(found):
            places = [(number * lanes + lane) % columns for lane in range(lanes)]
            addresses = emitter.emit(
                vector_type("ptr", lanes),
                f"getelementptr {memory_type(operand.dtype)}, {pointers[step.value]}, "
                f"{emitter.constants('i64', places)}",
            )
            every = emitter.constant("i1", True, lanes)
            values[index] = load_scattered(emitter, addresses, operand.dtype, lanes, every)
    return found
