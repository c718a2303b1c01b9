"""Loops with order "columns": reductions over all rows, for some columns at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.expressions import ExpressionEmitter, emit_invariants
from workbench.core.codegen.loop_access import Line, first_lanes, line_pointers
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
from workbench.core.codegen.loop_lines import LineWriter
from workbench.core.codegen.loop_partials import PartialReductions
from workbench.core.codegen.loop_passes import Pass, Passes
from workbench.core.codegen.loop_reductions import BLOCK_ROUNDS, Reduction
from workbench.core.codegen.specs import Code, LoopSpec, Step
from workbench.core.codegen.target import Target

#: Vectors side by side, so that the sums of one do not wait for each other.
_VECTORS = 4

#: More instructions than this are there once only.
_LONG_TEXT = 20.0


def columns_code(spec: LoopSpec, lanes: int, target: Target) -> Code:
    """The code of a loop that shares out columns; its last argument is the number of rows."""
    if len(spec.shape) != 2:
        raise ValueError(f"a loop over columns has two dimensions, not {len(spec.shape)}")
    if spec.partials:
        raise ValueError("a loop over columns leaves no partial reductions")
    if spec.shape[1] == 1:
        return _single_column(spec, lanes, target)
    return _ColumnWriter(spec, lanes, target).code()


def _single_column(spec: LoopSpec, lanes: int, target: Target) -> Code:
    """One column is one line, as long as there are rows."""
    frame = Frame("column", target)
    pointers = [frame.pointer(number) for number in range(len(spec.operands))]
    rows = frame.integer(len(spec.operands))
    passes = Passes(spec, 0, can_keep=False)
    invariants = emit_invariants(
        frame.emitter,
        spec.steps,
        spec.operands,
        pointers,
        lanes,
        roots=passes.line_roots(),
        stored={store.operand for store in spec.stores},
    )
    partials = PartialReductions(frame, spec, lanes)
    writer = LineWriter(
        frame, passes, rows, lanes, target, partials, invariants, lambda operand: pointers[operand]
    )
    strides = [operand.strides[0] for operand in spec.operands]
    with CountedLoop(frame.emitter, BEGIN, END).body():
        dtypes = [operand.dtype for operand in spec.operands]
        writer.write(Line(frame.emitter, dtypes, pointers, strides))
    return frame.code()


class _ColumnWriter:
    """Writes loops over columns, in each of them the passes over the rows."""

    def __init__(self, spec: LoopSpec, lanes: int, target: Target) -> None:
        self._frame = Frame("columns", target)
        self._emitter = self._frame.emitter
        self._spec = spec
        self._lanes = lanes
        self._pointers = [self._frame.pointer(n) for n in range(len(spec.operands))]
        self._rows = self._frame.integer(len(spec.operands))
        self._passes = Passes(spec, 0, can_keep=False)
        self._invariants: Mapping[int, Register] = emit_invariants(
            self._emitter,
            spec.steps,
            spec.operands,
            self._pointers,
            lanes,
            roots=self._passes.line_roots(),
            stored={store.operand for store in spec.stores},
        )

    def code(self) -> Code:
        emitter, lanes = self._emitter, self._lanes
        begin = BEGIN
        if self._passes.element_weight() <= _LONG_TEXT:
            width = _VECTORS * lanes
            full = emitter.binary("and", emitter.binary("sub", END, BEGIN), integer(-width))
            middle = emitter.binary("add", BEGIN, full)
            with CountedLoop(emitter, BEGIN, middle, width).body() as column:
                places = [plus(emitter, column, number * lanes) for number in range(_VECTORS)]
                self._columns([(integer(place), None) for place in places])
            begin = middle
        with CountedLoop(emitter, begin, END, lanes).body() as column:
            rest = integer(minus(emitter, END, column))
            self._columns([(column, first_lanes(emitter, rest, lanes))])
        return self._frame.code()

    def _columns(self, places: Sequence[tuple[Register, Register | None]]) -> None:
        """Vectors of columns, each with its first column and mask: all rows, pass by pass."""
        passes = self._passes
        first_row = self._line(self._pointers)
        columns = [self._shared(first_row, column, mask) for column, mask in places]
        roots = passes.line_roots()
        for number, work in enumerate(passes.passes):
            for shared in columns:
                shared.evaluate(root for root in roots if passes.level[root] <= number)
            totals = self._all_rows(work, places, columns)
            reductions = self._reductions(work)
            for place, shared in enumerate(columns):
                for which, index in enumerate(work.reductions):
                    total = totals[place * len(reductions) + which]
                    value = reductions[which].rounded(self._emitter, total, self._lanes)
                    shared.values[index] = value
        for shared, (column, mask) in zip(columns, places, strict=True):
            shared.evaluate(roots)
            for store in passes.line_stores:
                value = shared.values[store.step]
                first_row.store(store.operand, value, column, self._lanes, mask)

    def _all_rows(
        self,
        work: Pass,
        places: Sequence[tuple[Register, Register | None]],
        columns: Sequence[ExpressionEmitter],
    ) -> Sequence[Register]:
        """One pass: the totals of each reduction of each vector of columns."""
        emitter, reductions = self._emitter, self._reductions(work)
        start = [r.start(emitter, self._lanes) for _ in places for r in reductions]
        if not start:
            with CountedLoop(emitter, 0, self._rows).body() as row:
                self._row(work, row, places, columns, [])
            return []
        blocks = CountedLoop(emitter, 0, self._rows, BLOCK_ROUNDS, start)
        with blocks.body() as begin:
            end = smaller(emitter, integer(plus(emitter, begin, BLOCK_ROUNDS)), self._rows)
            rows = CountedLoop(emitter, begin, end, 1, start)
            with rows.body() as row:
                rows.carry(self._row(work, row, places, columns, rows.carried))
            blocks.carry(self._combined(reductions, blocks.carried, rows.carried))
        return blocks.carried

    def _row(
        self,
        work: Pass,
        row: Register,
        places: Sequence[tuple[Register, Register | None]],
        columns: Sequence[ExpressionEmitter],
        totals: Sequence[Register],
    ) -> list[Register]:
        """The elements of a row: the totals with them."""
        emitter, steps = self._emitter, self._spec.steps
        pointers = line_pointers(emitter, self._spec.operands, self._pointers, [(0, row)])
        line = self._line(pointers)
        reductions = self._reductions(work)
        values = []
        for shared, (column, mask) in zip(columns, places, strict=True):
            element = self._expression(line, column, mask, shared.values)
            element.evaluate(self._passes.roots(work))
            for reduction, step in zip(
                reductions, self._passes.arguments_of_reductions(work), strict=True
            ):
                value = element.values[step]
                values.append(reduction.cast(emitter, value, steps[step].dtype, self._lanes))
            for store in work.stores:
                value = element.values[store.step]
                line.store(store.operand, value, column, self._lanes, mask)
            element.evaluate(work.checks)
        return self._combined(reductions, totals, values)

    def _combined(
        self, reductions: Sequence[Reduction], a: Sequence[Register], b: Sequence[Register]
    ) -> list[Register]:
        return [
            reductions[place % len(reductions)].combine(self._emitter, x, y, self._lanes)
            for place, (x, y) in enumerate(zip(a, b, strict=True))
        ]

    def _reductions(self, work: Pass) -> list[Reduction]:
        steps = self._spec.steps
        return [Reduction(steps[i].function, steps[i].dtype) for i in work.reductions]

    def _line(self, pointers: Sequence[Register]) -> Line:
        operands = self._spec.operands
        return Line(
            self._emitter,
            [operand.dtype for operand in operands],
            pointers,
            [operand.strides[1] for operand in operands],
        )

    def _shared(self, line: Line, column: Register, mask: Register | None) -> ExpressionEmitter:
        """What is the same in all rows."""
        return self._expression(line, column, mask, self._invariants)

    def _expression(
        self,
        line: Line,
        column: Register,
        mask: Register | None,
        known: Mapping[int, Register],
    ) -> ExpressionEmitter:
        def source(_: int, step: Step) -> Register:
            assert isinstance(step.value, int)
            return line.load(step.value, column, self._lanes, mask)

        return ExpressionEmitter(
            self._emitter,
            self._spec.steps,
            self._lanes,
            source,
            known=known,
            mask=mask,
            flag=lambda operand: self._pointers[operand],
        )
