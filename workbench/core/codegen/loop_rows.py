"""Loops whose lines run along the last dimension: the calls share out the first."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.expressions import emit_invariants
from workbench.core.codegen.loop_access import Line, line_pointers
from workbench.core.codegen.loop_frame import BEGIN, END, CountedLoop, Frame, integer, smaller
from workbench.core.codegen.loop_lines import LineWriter
from workbench.core.codegen.loop_partials import PartialReductions
from workbench.core.codegen.loop_passes import Passes
from workbench.core.codegen.specs import Code, LoopSpec
from workbench.core.codegen.target import Target


def rows_code(spec: LoopSpec, lanes: int, target: Target, block: int) -> tuple[Code, str]:
    """The code of a loop of two dimensions or more, and what became of its lines, in words.

    `block` is how many rows leave one part of each partial.
    """
    frame = Frame("rows", target)
    emitter = frame.emitter
    pointers = [frame.pointer(number) for number in range(len(spec.operands))]
    passes = Passes(spec, len(spec.shape) - 1)
    invariants = emit_invariants(
        emitter,
        spec.steps,
        spec.operands,
        pointers,
        lanes,
        roots=passes.line_roots(),
        stored={store.operand for store in spec.stores},
    )
    partials = PartialReductions(frame, spec, lanes)
    writer = LineWriter(
        frame,
        passes,
        spec.shape[-1],
        lanes,
        target,
        partials,
        invariants,
        lambda operand: pointers[operand],
    )
    in_registers = writer.unrolled and len(spec.shape) == 2
    partials.allocate(in_registers and partials.vectors <= target.registers // 4)
    if spec.partials:
        blocks = CountedLoop(emitter, BEGIN, END, block)
        with blocks.body() as first:
            partials.reset()
            end = emitter.binary("add", first, integer(block))
            _rows(frame, spec, pointers, writer, partials, first, smaller(emitter, end, END))
            number = emitter.binary("udiv", first, integer(block))
            partials.flush(number, pointers)
    else:
        _rows(frame, spec, pointers, writer, partials, BEGIN, END)
    held = "in registers" if writer.unrolled else f"in {len(passes.passes)} passes"
    return frame.code(), held


def _rows(
    frame: Frame,
    spec: LoopSpec,
    pointers: Sequence[Register],
    writer: LineWriter,
    partials: PartialReductions,
    begin: Register,
    end: Register,
) -> None:
    """The loops around a line."""
    emitter = frame.emitter
    with ExitStack() as loops:
        rows = CountedLoop(emitter, begin, end, carried=partials.held())
        indices = [(0, loops.enter_context(rows.body()))]
        partials.hold(rows.carried)
        for dimension in range(1, len(spec.shape) - 1):
            loop = CountedLoop(emitter, 0, spec.shape[dimension])
            indices.append((dimension, loops.enter_context(loop.body())))
        writer.write(
            Line(
                emitter,
                [operand.dtype for operand in spec.operands],
                line_pointers(emitter, spec.operands, pointers, indices),
                [operand.strides[-1] for operand in spec.operands],
            )
        )
        rows.carry(partials.held())
    partials.hold(rows.carried)
