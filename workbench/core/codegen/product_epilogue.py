"""What a product does with its sums: the steps of its expression, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.expressions import REDUCTIONS, ExpressionEmitter
from workbench.core.codegen.functions import emit_function
from workbench.core.codegen.micro_kernel import Tile
from workbench.core.codegen.packing import behind
from workbench.core.codegen.product_tile import accumulator_dtype
from workbench.core.codegen.repetition import as_i64
from workbench.core.codegen.specs import ProductSpec, Step
from workbench.core.codegen.strided import load_strided, store_strided
from workbench.core.codegen.unsupported import Unsupported


def further_operands(spec: ProductSpec) -> list[int]:
    """The numbers of the operands that the expression and its stores use."""
    used = {store.operand for store in spec.stores}
    for step in spec.steps:
        if step.function in ("load", "check"):
            assert step.value is not None
            used.add(int(step.value))
    return sorted(used)


def check_steps(spec: ProductSpec) -> None:
    """Raises Unsupported for steps that need more than an element of the result."""
    for step in spec.steps:
        if step.function in REDUCTIONS:
            raise Unsupported(f"{step.function} of a product needs its whole result")


class Epilogue:
    """Emits the expression for vectors of a row of sums."""

    def __init__(
        self, emitter: Emitter, spec: ProductSpec, tile: Tile, pointers: Mapping[int, Register]
    ) -> None:
        self.emitter = emitter
        self.spec = spec
        self.tile = tile
        #: Operands at the first row and column of the batch's entry; flags as they are.
        self.pointers = pointers

    def to_prefetch(self) -> list[int]:
        """The operands that have a row of their own for each row of the result, and are loaded."""
        loaded = {int(s.value or 0) for s in self.spec.steps if s.function == "load"}
        operands = self.spec.operands
        return [
            n for n in sorted(loaded) if operands[n].strides[-2] and operands[n].strides[-1] == 1
        ]

    def emit_prefetch(self, row: Register, column: Register) -> None:
        """Asks for what the expression loads of a row, so that it is there after the sums."""
        stored = {store.operand for store in self.spec.stores}
        for number in self.to_prefetch():
            dtype = self.spec.operands[number].dtype
            start = self._start(number, row, column)
            for v in range(self.tile.vectors):
                place = behind(self.emitter, start, dtype, v * self.tile.lanes)
                self.emitter.prefetch(place, to_write=number in stored)

    def emit_row(
        self,
        sums: Sequence[Register],
        row: Register,
        column: Register,
        masks: Sequence[Register | None],
    ) -> None:
        """One row of a tile, whose first column is `column`."""
        starts = {
            number: self._start(number, row, column) for number in further_operands(self.spec)
        }
        for v, (value, mask) in enumerate(zip(sums, masks, strict=True)):
            self._emit_vector(value, starts, column, v * self.tile.lanes, mask)

    def _start(self, number: int, row: Register, column: Register) -> Register:
        operand = self.spec.operands[number]
        along = behind(self.emitter, self.pointers[number], operand.dtype, row, operand.strides[-2])
        return behind(self.emitter, along, operand.dtype, column, operand.strides[-1])

    def _emit_vector(
        self,
        value: Register,
        starts: Mapping[int, Register],
        column: Register,
        offset: int,
        mask: Register | None,
    ) -> None:
        emitter, lanes, spec = self.emitter, self.tile.lanes, self.spec

        def place(number: int) -> Register:
            operand = spec.operands[number]
            return behind(emitter, starts[number], operand.dtype, offset * operand.strides[-1])

        def source(index: int, step: Step) -> Register:
            if step.function == "accumulator":
                summed = accumulator_dtype(spec.dtype)
                if step.dtype == summed:
                    return value
                return emit_function(emitter, "cast", step.dtype, [value], [summed], lanes)
            if step.function == "column":
                first = emitter.splat(emitter.binary("add", column, as_i64(offset)), lanes)
                return emitter.binary("add", first, emitter.constants("i64", range(lanes)))
            assert isinstance(step.value, int)
            operand = spec.operands[step.value]
            return load_strided(
                emitter, place(step.value), operand.dtype, operand.strides[-1], lanes, mask
            )

        expression = ExpressionEmitter(
            emitter,
            spec.steps,
            lanes,
            source,
            mask=mask,
            flag=lambda number: self.pointers[number],
        )
        # All is read before anything is written: an operand may be both.
        expression.evaluate(store.step for store in spec.stores)
        expression.checks()
        for store in spec.stores:
            operand = spec.operands[store.operand]
            store_strided(
                emitter,
                expression.value(store.step),
                place(store.operand),
                operand.dtype,
                operand.strides[-1],
                lanes,
                mask,
            )
