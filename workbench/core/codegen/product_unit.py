"""One unit of work of a product: a group of rows of a panel of columns."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.module import NAME
from workbench.core.codegen.packing import behind
from workbench.core.codegen.product_epilogue import Epilogue
from workbench.core.codegen.product_shape import Shape
from workbench.core.codegen.repetition import as_i64, counted
from workbench.core.codegen.specs import ProductSpec


class Unit:
    """Emits a unit inside the loop over the units of a call."""

    def __init__(
        self,
        emitter: Emitter,
        shape: Shape,
        pointers: Mapping[int, Register],
        integers: Mapping[str, Register],
    ) -> None:
        self.emitter = emitter
        self.shape = shape
        self.pointers = pointers
        self.integers = integers
        scratch = Register("%scratch", "ptr")
        self.panel = scratch
        self.sums = emitter.offset(scratch, "i8", shape.panel_bytes)

    def emit(self, number: Register) -> None:
        """All of the unit with this number."""
        emitter, shape, integers = self.emitter, self.shape, self.integers
        group, panel, entry = self._place(number)
        pointers = entry_of_batch(emitter, shape.spec, self.pointers, integers, entry)
        column = emitter.binary("mul", panel, as_i64(shape.tile.columns))
        columns = emitter.binary("sub", as_i64(shape.spec.n), column)
        first = emitter.binary("mul", group, integers["group"])
        last = emitter.binary("add", first, integers["group"])
        tiles = (first, emitter.intrinsic("smin", "i64", last, integers["tiles"]))
        part = _Part(self, pointers, column, columns, tiles)
        if shape.blocks == 1:
            part.emit(as_i64(0), integers["k"])
            return
        with counted(emitter, 0, integers["k"], integers["block"]) as k:
            left = emitter.binary("sub", integers["k"], k)
            part.emit(k, emitter.intrinsic("smin", "i64", left, integers["block"]))

    def _place(self, number: Register) -> tuple[Register, Register, Register]:
        """Group, panel and entry of the batch: the panels of a group follow one another.

        So the rows of the left operand stay in the cache, while those of the right one are packed.
        """
        rest, panel = number, as_i64(0)
        if self.shape.panels > 1:
            rest, panel = divided(self.emitter, number, as_i64(self.shape.panels))
        entry, group = divided(self.emitter, rest, self.integers["groups"])
        return group, panel, entry


def entry_of_batch(
    emitter: Emitter,
    spec: ProductSpec,
    pointers: Mapping[int, Register],
    integers: Mapping[str, Register],
    entry: Register,
) -> dict[int, Register]:
    """Where the operands are in an entry of the batch."""
    here = dict(pointers)
    for place in reversed(range(len(spec.batch))):
        index = entry
        if place:
            entry, index = divided(emitter, entry, integers[f"batch{place}"])
        for number, pointer in here.items():
            operand = spec.operands[number]
            here[number] = behind(emitter, pointer, operand.dtype, index, operand.strides[place])
    return here


def divided(emitter: Emitter, number: Register, by: Register) -> tuple[Register, Register]:
    """Quotient and remainder."""
    return emitter.binary("udiv", number, by), emitter.binary("urem", number, by)


class _Part:
    """The tiles of a unit, for a block of k."""

    def __init__(
        self,
        unit: Unit,
        pointers: Mapping[int, Register],
        column: Register,
        columns: Register,
        tiles: tuple[Register, Register],
    ) -> None:
        self.unit = unit
        self.emitter = unit.emitter
        self.shape = unit.shape
        self.pointers = pointers
        self.column = column
        self.columns = columns
        self.tiles = tiles
        self.epilogue = Epilogue(self.emitter, self.shape.spec, self.shape.tile, pointers)

    def emit(self, k: Register, count: Register) -> None:
        """`count` steps from k on, and after the last ones the expression."""
        emitter, shape, spec = self.emitter, self.shape, self.shape.spec
        right = self._right(k, count)
        left_operand = spec.operands[shape.left]
        left = behind(
            emitter, self.pointers[shape.left], left_operand.dtype, k, left_operand.strides[-1]
        )
        part = self.columns if shape.has_part else None
        most = emitter.binary("sub", self.unit.integers["m"], as_i64(shape.tile.rows))
        with counted(emitter, *self.tiles) as tile:
            start = emitter.binary("mul", tile, as_i64(shape.tile.rows))
            row = emitter.intrinsic("smin", "i64", start, most)
            done = emitter.binary("sub", start, row)
            sums = self._sums_of(tile)
            if spec.k:
                if shape.blocks == 1 and self.epilogue.to_prefetch():
                    self._prefetch(row)
                at = behind(emitter, left, left_operand.dtype, row, left_operand.strides[-2])
                first = emitter.compare("eq", k, as_i64(0))
                emitter.line(
                    f"call void @{NAME}_tile({at}, {right}, {count}, {sums}, {first}, "
                    f"{self.columns})"
                )
            if shape.blocks == 1:
                self.epilogue.emit_rows(sums, row, done, self.column, part)
            else:
                through = emitter.binary("add", k, count)
                finish, following = emitter.new_label("finish"), emitter.new_label("next")
                all_there = emitter.compare("eq", through, self.unit.integers["k"])
                emitter.branch(all_there, finish, following)
                emitter.start_block(finish)
                self.epilogue.emit_rows(sums, row, done, self.column, part)
                emitter.jump(following)
                emitter.start_block(following)

    def _prefetch(self, row: Register) -> None:
        with counted(self.emitter, 0, self.shape.tile.rows) as place:
            self.epilogue.emit_prefetch(self.emitter.binary("add", row, place), self.column)

    def _right(self, k: Register, count: Register) -> Register:
        """The right operand from k on, packed if it is to be."""
        emitter, shape = self.emitter, self.shape
        operand = shape.spec.operands[shape.right]
        k_step, n_step = operand.strides[-2:]
        pointer = self.pointers[shape.right]
        pointer = behind(emitter, pointer, operand.dtype, self.column, n_step)
        pointer = behind(emitter, pointer, operand.dtype, k, k_step)
        if not shape.way or not shape.spec.k:
            return pointer
        panel = self.unit.panel
        emitter.line(f"call void @{NAME}_pack({pointer}, {panel}, {count}, {self.columns})")
        return panel

    def _sums_of(self, tile: Register) -> Register:
        """Where the sums of a tile are: those of all tiles of the unit wait for the next block."""
        if self.shape.blocks == 1:
            return self.unit.sums
        place = self.emitter.binary("sub", tile, self.tiles[0])
        bytes_ = self.emitter.binary("mul", place, as_i64(self.shape.tile_bytes))
        return self.emitter.offset(self.unit.sums, "i8", bytes_)
