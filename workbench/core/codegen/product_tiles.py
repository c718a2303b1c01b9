"""The kernel of a product that is done tile by tile.

The result is cut into panels of columns and groups of rows: a unit of work is one group of one
panel. It packs the panel's part of the right operand into memory of its own thread, runs through it
with one tile of sums after the other (see `micro_kernel`), and goes through the rows of each tile
with the steps of the expression. A last tile that would reach beyond the rows starts earlier, and
its first rows, which are done, are left out of the expression.

Where k is large the panel comes in blocks, and the sums wait in memory from one block to the next.
Each sum is one chain of fused multiply-adds in the order of k, whatever the blocks and tiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.micro_kernel import (
    LeftRow,
    Loop,
    Operands,
    emit_sums,
    load_sums,
    store_sums,
    zero_sums,
)
from workbench.core.codegen.module import NAME, named
from workbench.core.codegen.packing import column_masks, emit_packing
from workbench.core.codegen.product_epilogue import further_operands
from workbench.core.codegen.product_shape import Shape, units_together
from workbench.core.codegen.product_unit import Unit
from workbench.core.codegen.repetition import counted
from workbench.core.codegen.specs import Argument, Call, Code
from workbench.core.codegen.target import Target


class TiledProduct:
    """Writes the kernel of a shape."""

    def __init__(self, shape: Shape, target: Target) -> None:
        self.shape = shape
        self.spec = shape.spec
        self.tile = shape.tile
        self.target = target
        self.dtype = shape.dtype
        #: What the kernel is called with.
        self.operands = sorted({0, 1, *further_operands(self.spec)})
        self._declarations: set[str] = set()

    def call(self) -> Call:
        """The kernel, what it is called with, and its units."""
        shape = self.shape
        arguments = [Argument("operand", number) for number in self.operands]
        arguments += [Argument("integer", value) for value in self.integers().values()]
        units = math.prod(shape.spec.batch) * shape.panels * shape.groups
        return Call(self.code(), tuple(arguments), units, units_together(shape))

    def notes(self) -> dict[str, object]:
        """What was decided, in words."""
        shape = self.shape
        return {
            "tile": f"{shape.tile.rows} rows x {shape.tile.columns} columns",
            "right operand": f"packed by {shape.way}" if shape.way else "in place",
            "blocks of k": shape.blocks,
            "transposed": bool(shape.left),
        }

    def integers(self) -> dict[str, int]:
        """The integers that it is called with, after the operands."""
        shape = self.shape
        values = {"m": self.spec.m, "k": self.spec.k, "tiles": shape.tiles, "group": shape.group}
        values["groups"] = shape.groups
        if shape.blocks > 1:
            values["block"] = shape.block
        values |= {f"batch{place}": size for place, size in enumerate(self.spec.batch) if place}
        return values

    def code(self) -> Code:
        """The function and those that it calls."""
        texts = [self._tile_function()] if self.spec.k else []
        if self.shape.way:
            texts.append(self._packing_function())
        texts.append(self._main_function())
        return named("\n".join(texts), self._declarations, self.shape.scratch_bytes, "product")

    # -- functions -----------------------------------------------------------------------------

    def _function(self, emitter: Emitter, head: str) -> str:
        self._declarations |= emitter.declarations
        return "\n".join([f"define {head} {{", "entry:", *emitter.lines, "  ret void", "}"])

    def _tile_function(self) -> str:
        """From one row of the left operand and the packed or plain right one to a tile of sums."""
        shape, spec, tile = self.shape, self.spec, self.tile
        emitter = Emitter(self.target)
        left_operand, right_operand = spec.operands[shape.left], spec.operands[shape.right]
        row_step, left_step = left_operand.strides[-2:]
        left, right, sums_at = (Register(n, "ptr") for n in ("%left", "%right", "%sums"))
        masks: Sequence[Register | None] = ()
        if not shape.way and shape.has_part:
            masks = column_masks(emitter, tile, Register("%columns", "i64"))
        operands = Operands(
            [LeftRow(left, row * row_step) for row in range(tile.rows)],
            right,
            self.dtype,
            left_operand.dtype,
            self.dtype if shape.way else right_operand.dtype,
            [mask for mask in masks if mask],
        )
        right_step = tile.columns if shape.way else right_operand.strides[-2]
        loop = Loop(Register("%count", "i64"), left_step, right_step)
        start = None
        if shape.blocks > 1:
            start = self._start(emitter, sums_at)
        store_sums(emitter, tile, emit_sums(emitter, tile, operands, [loop], start), sums_at)
        head = f"internal void @{NAME}_tile(ptr %left, ptr %right, i64 %count, ptr %sums"
        return self._function(emitter, f"{head}, i1 %first, i64 %columns) noinline #0")

    def _start(self, emitter: Emitter, sums_at: Register) -> list[list[Register]]:
        """Zeros in the first block of k, what the block before put down in the others."""
        zeros = zero_sums(emitter, self.tile, self.dtype)
        resume, ready = emitter.new_label("resume"), emitter.new_label("ready")
        emitter.branch(Register("%first", "i1"), ready, resume)
        emitter.start_block(resume)
        there = load_sums(emitter, self.tile, self.dtype, sums_at)
        emitter.jump(ready)
        emitter.start_block(ready)
        return [
            [
                emitter.emit(b.type, f"phi {b.type} [ {a.name}, %entry ], [ {b.name}, %{resume} ]")
                for a, b in zip(*vectors, strict=True)
            ]
            for vectors in zip(zeros, there, strict=True)
        ]

    def _packing_function(self) -> str:
        shape = self.shape
        assert shape.way is not None
        emitter = Emitter(self.target)
        columns = Register("%columns", "i64") if shape.has_part else None
        source, panel = Register("%source", "ptr"), Register("%panel", "ptr")
        right = self.spec.operands[shape.right]
        rows = Register("%rows", "i64")
        emit_packing(emitter, shape.way, self.tile, right, self.dtype, source, panel, rows, columns)
        head = f"internal void @{NAME}_pack(ptr %source, ptr %panel, i64 %rows, i64 %columns)"
        return self._function(emitter, f"{head} noinline #0")

    def _main_function(self) -> str:
        emitter = Emitter(self.target)
        arguments = Register("%args", "ptr")
        pointers = {
            number: emitter.load(emitter.offset(arguments, "i64", place), "ptr", 8)
            for place, number in enumerate(self.operands)
        }
        integers = {
            name: emitter.load(
                emitter.offset(arguments, "i64", len(self.operands) + place), "i64", 8
            )
            for place, name in enumerate(self.integers())
        }
        unit = Unit(emitter, self.shape, pointers, integers)
        with counted(emitter, Register("%begin", "i64"), Register("%end", "i64")) as number:
            unit.emit(number)
        head = f"void @{NAME}(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0"
        return self._function(emitter, head)
