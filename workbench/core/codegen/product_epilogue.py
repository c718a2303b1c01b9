"""What a product does with its sums: the steps of its expression, row by row."""

from __future__ import annotations

import math
from collections.abc import Mapping

from workbench.core.codegen.emitter import Emitter, Register, element_type, vector_type
from workbench.core.codegen.expressions import REDUCTIONS, ExpressionEmitter
from workbench.core.codegen.functions import emit_function
from workbench.core.codegen.micro_kernel import Tile
from workbench.core.codegen.packing import behind, column_masks
from workbench.core.codegen.product_tile import accumulator_dtype
from workbench.core.codegen.repetition import as_i64, counted
from workbench.core.codegen.specs import ProductSpec, Step
from workbench.core.codegen.strided import lanes_below, load_strided, store_strided
from workbench.core.codegen.target import CACHE_LINE, FAR_BYTES, ITEM_BYTES
from workbench.core.codegen.unsupported import Unsupported

#: Functions that are an instruction or two; others count as many.
_SHORT = frozenset(
    """load constant column accumulator add subtract multiply divide maximum minimum negative
    absolute square sqrt select equal not_equal less less_equal greater greater_equal logical_and
    logical_or logical_not""".split()
)
_LONG = 20

#: Steps of a row that are written down one after the other: more of them go through a loop.
_MOST_STEPS = 32


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
        self.dtype = accumulator_dtype(spec.dtype)
        #: Operands at the first row and column of the batch's entry; flags as they are.
        self.pointers = pointers

    def to_prefetch(self) -> list[int]:
        """The operands that have a row of their own for each row of the result, and are loaded, or
        stored and large."""
        loaded = {int(s.value or 0) for s in self.spec.steps if s.function == "load"}
        far = {s.operand for s in self.spec.stores if self._bytes(s.operand) >= FAR_BYTES}
        operands = self.spec.operands
        return [
            n
            for n in sorted(loaded | far)
            if operands[n].strides[-2] and operands[n].strides[-1] == 1
        ]

    def _bytes(self, number: int) -> int:
        """The size of what has an element for each of the result."""
        spec = self.spec
        return math.prod(spec.batch) * spec.m * spec.n * ITEM_BYTES[spec.operands[number].dtype]

    def emit_prefetch(self, row: Register, column: Register) -> None:
        """Asks for what the expression loads and stores of a row, so that it is there after the
        sums: a store, too, waits for a line of the cache that is far."""
        stored = {store.operand for store in self.spec.stores}
        for number in self.to_prefetch():
            dtype = self.spec.operands[number].dtype
            start = self._start(number, row, column)
            for offset in range(0, self.tile.columns, CACHE_LINE // ITEM_BYTES[dtype]):
                place = behind(self.emitter, start, dtype, offset)
                self.emitter.prefetch(place, to_write=number in stored)

    def emit_rows(
        self,
        sums: Register,
        row: Register,
        done: Register,
        column: Register,
        columns: Register | None,
    ) -> None:
        """The tile at a row and column, from its sums in memory, but for the first `done` rows.

        `columns` of the result are left, if they may be fewer than the tile's.
        """
        emitter, tile = self.emitter, self.tile
        is_long = self._is_long()
        masks = [] if is_long else column_masks(emitter, tile, columns)
        with counted(emitter, done, tile.rows) as place:
            of_row = behind(emitter, sums, self.dtype, place, tile.columns)
            row_now = emitter.binary("add", row, place)
            starts = {
                number: self._start(number, row_now, column)
                for number in further_operands(self.spec)
            }
            for v, mask in enumerate(masks):
                self._emit_vector(of_row, starts, column, v * tile.lanes, mask)
            if is_long:
                with counted(emitter, 0, tile.columns, tile.lanes) as offset:
                    mask = None
                    if columns:
                        mask = lanes_below(
                            emitter, tile.lanes, emitter.binary("sub", columns, offset)
                        )
                    self._emit_vector(of_row, starts, column, offset, mask)

    def _is_long(self) -> bool:
        """True if the steps are too many to be written down for each vector of a row."""
        weights = (1 if step.function in _SHORT else _LONG for step in self.spec.steps)
        return sum(weights) * self.tile.vectors > _MOST_STEPS

    def _sum(self, sums: Register, offset: Register | int) -> Register:
        dtype = self.dtype
        kind = vector_type(element_type(dtype), self.tile.lanes)
        if not self.spec.k:
            return Register("zeroinitializer", kind)
        place = behind(self.emitter, sums, dtype, offset)
        return self.emitter.load(place, kind, ITEM_BYTES[dtype])

    def _start(self, number: int, row: Register, column: Register) -> Register:
        operand = self.spec.operands[number]
        along = behind(self.emitter, self.pointers[number], operand.dtype, row, operand.strides[-2])
        return behind(self.emitter, along, operand.dtype, column, operand.strides[-1])

    def _emit_vector(
        self,
        sums: Register,
        starts: Mapping[int, Register],
        column: Register,
        offset: Register | int,
        mask: Register | None,
    ) -> None:
        emitter, lanes, spec = self.emitter, self.tile.lanes, self.spec
        value = self._sum(sums, offset)

        def place(number: int) -> Register:
            operand = spec.operands[number]
            step = operand.strides[-1]
            return behind(emitter, starts[number], operand.dtype, offset, step)

        def source(index: int, step: Step) -> Register:
            if step.function == "accumulator":
                if step.dtype == self.dtype:
                    return value
                return emit_function(emitter, "cast", step.dtype, [value], [self.dtype], lanes)
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
