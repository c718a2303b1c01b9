"""The kernel of a product with one column: a dot product for each row.

The rows of the left operand lie along k, so vectors go along k as well: a sum has as many chains of
fused multiply-adds as a vector has lanes, which are added up in halves at the end. Whatever the
number of rows, a row has the same bits.

Sums of many rows wait in memory until the expression goes through them, with vectors of rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from workbench.core.codegen.emitter import Emitter, Register, element_type
from workbench.core.codegen.micro_kernel import LeftRow, Loop, Operands, Sums, Tile, emit_sums
from workbench.core.codegen.module import NAME, named
from workbench.core.codegen.packing import behind
from workbench.core.codegen.product_epilogue import Epilogue, further_operands
from workbench.core.codegen.product_shape import turned
from workbench.core.codegen.product_tile import accumulator_dtype
from workbench.core.codegen.product_unit import divided, entry_of_batch
from workbench.core.codegen.repetition import as_i64, counted
from workbench.core.codegen.specs import Argument, Call, Code, ProductSpec
from workbench.core.codegen.strided import lanes_below
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Rows whose sums are computed together, each in one register.
_ROWS = 8

#: Vectors of rows that are a unit of work.
_VECTORS = 4

#: Operations that are worth a chunk of their own.
_LEAST_OPERATIONS = 100_000


def is_dot(spec: ProductSpec, target: Target) -> bool:
    """True for one column from operands that both lie along k, with more than a vector of k."""
    left, right = spec.operands[:2]
    along_k = left.strides[-1] == 1 and right.strides[-2] == 1
    enough = spec.k >= target.lanes(accumulator_dtype(spec.dtype))
    at_a_column = any(step.function == "column" for step in spec.steps)
    return spec.n == 1 and along_k and enough and target.has_masks and not at_a_column


class DotProduct:
    """Writes the kernel; the result is taken as a row, so that vectors lie along it."""

    def __init__(self, spec: ProductSpec, target: Target) -> None:
        self.spec = turned(spec)
        self.target = target
        self.dtype = accumulator_dtype(spec.dtype)
        self.lanes = target.lanes(self.dtype)
        self.tile = Tile(1, _VECTORS, self.lanes)
        self.operands = sorted({0, 1, *further_operands(spec)})
        self._groups = -(-self.spec.n // self.tile.columns)

    def call(self) -> Call:
        """The kernel, what it is called with, and its units."""
        arguments = [Argument("operand", number) for number in self.operands]
        arguments += [Argument("integer", value) for value in self._integers().values()]
        units = math.prod(self.spec.batch) * self._groups
        together = max(1, _LEAST_OPERATIONS // (self.tile.columns * self.spec.k))
        return Call(self._code(), tuple(arguments), units, together)

    def notes(self) -> dict[str, object]:
        """What was decided, in words."""
        return {"dot products": f"{_ROWS} rows at a time"}

    def _integers(self) -> dict[str, int]:
        values = {"rows": self.spec.n, "k": self.spec.k, "groups": self._groups}
        return values | {f"batch{place}": n for place, n in enumerate(self.spec.batch) if place}

    def _code(self) -> Code:
        emitter = Emitter(self.target)
        words = [*self.operands, *self._integers()]
        arguments = {
            word: emitter.load(
                emitter.offset(Register("%args", "ptr"), "i64", place),
                "ptr" if isinstance(word, int) else "i64",
                8,
            )
            for place, word in enumerate(words)
        }
        pointers = {word: value for word, value in arguments.items() if isinstance(word, int)}
        integers = {word: value for word, value in arguments.items() if isinstance(word, str)}
        with counted(emitter, Register("%begin", "i64"), Register("%end", "i64")) as unit:
            self._unit(emitter, unit, pointers, integers)
        lines = [
            f"define void @{NAME}(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0 {{",
            "entry:",
            *emitter.lines,
            "  ret void",
            "}",
        ]
        scratch = self.tile.columns * ITEM_BYTES[self.dtype]
        return named("\n".join(lines), emitter.declarations, scratch, "product")

    def _unit(
        self,
        emitter: Emitter,
        unit: Register,
        pointers: Mapping[int, Register],
        integers: Mapping[str, Register],
    ) -> None:
        sums = Register("%scratch", "ptr")
        entry, group = divided(emitter, unit, integers["groups"])
        here = entry_of_batch(emitter, self.spec, pointers, integers, entry)
        first = emitter.binary("mul", group, as_i64(self.tile.columns))
        rows = emitter.binary("sub", integers["rows"], first)
        rows = emitter.intrinsic("smin", "i64", rows, as_i64(self.tile.columns))
        with counted(emitter, 0, rows, _ROWS) as done:
            row = emitter.binary("add", first, done)
            totals = self._sums(emitter, here, row, integers)
            for place, (vector,) in enumerate(totals):
                total = self._total(emitter, vector)
                at = behind(emitter, sums, self.dtype, emitter.binary("add", done, as_i64(place)))
                emitter.store(total, at, ITEM_BYTES[self.dtype])
        epilogue = Epilogue(emitter, self.spec, self.tile, here)
        epilogue.emit_rows(sums, as_i64(0), as_i64(0), first, rows)

    def _sums(
        self,
        emitter: Emitter,
        pointers: Mapping[int, Register],
        row: Register,
        integers: Mapping[str, Register],
    ) -> Sums:
        """Vectors of sums of some rows; rows that are not there are the last one."""
        left, right = self.spec.operands[:2]
        last = emitter.binary("sub", integers["rows"], as_i64(1))
        starts = []
        for place in range(_ROWS):
            there = emitter.intrinsic(
                "smin", "i64", emitter.binary("add", row, as_i64(place)), last
            )
            starts.append(behind(emitter, pointers[0], left.dtype, there, left.strides[-1]))
        whole, part = divided(emitter, integers["k"], as_i64(self.lanes))
        done = emitter.binary("sub", integers["k"], part)
        tile = Tile(_ROWS, 1, self.lanes)
        operands = Operands(
            [LeftRow(start) for start in starts],
            pointers[1],
            self.dtype,
            left.dtype,
            right.dtype,
            lanewise=True,
        )
        totals = emit_sums(emitter, tile, operands, [Loop(whole, self.lanes, self.lanes)])
        rest = Operands(
            [LeftRow(behind(emitter, start, left.dtype, done)) for start in starts],
            behind(emitter, pointers[1], right.dtype, done),
            self.dtype,
            left.dtype,
            right.dtype,
            masks=[lanes_below(emitter, self.lanes, part)],
            lanewise=True,
        )
        return emit_sums(emitter, tile, rest, [], totals)

    def _total(self, emitter: Emitter, vector: Register) -> Register:
        """The lanes of a vector added up, the upper half to the lower one each time."""
        lanes = self.lanes
        while lanes > 1:
            lanes //= 2
            order = ", ".join(f"i32 {lane}" for lane in range(lanes, 2 * lanes))
            lower = ", ".join(f"i32 {lane}" for lane in range(lanes))
            kind = f"<{lanes} x {element_type(self.dtype)}>"
            halves = [
                emitter.emit(kind, f"shufflevector {vector}, {vector}, <{lanes} x i32> <{numbers}>")
                for numbers in (lower, order)
            ]
            vector = emitter.binary("fadd", *halves)
        return emitter.emit(element_type(self.dtype), f"extractelement {vector}, i64 0")
