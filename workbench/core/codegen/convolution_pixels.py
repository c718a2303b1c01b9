"""The function of a tile of pixels: their sums in registers, then the steps that follow."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_geometry import Bank, Correlation
from workbench.core.codegen.convolution_tiling import PixelTile, meets_input
from workbench.core.codegen.convolution_writer import Cursor, Index, KernelWriter
from workbench.core.codegen.emitter import Register
from workbench.core.codegen.micro_kernel import (
    LeftRow,
    Loop,
    Operands,
    Sums,
    Tile,
    emit_sums,
    store_sums,
    zero_sums,
)
from workbench.core.codegen.target import Target

#: What a tile is called with: the first pixel's window, the bank at the first filter, the rows of
#: the window that count, the first filter; then the places of the operands of the epilogue.
WINDOW, BANK = Register("%window", "ptr"), Register("%bank", "ptr")
FIRST, STOP = Register("%first", "i64"), Register("%stop", "i64")
CHANNEL = Register("%channel", "i64")


class PixelTiles:
    """Writes tiles, each once. `pitches` are those of what they read: row, column, channel."""

    def __init__(
        self,
        correlation: Correlation,
        bank: Bank,
        epilogue: Epilogue,
        target: Target,
        pitches: tuple[int, int, int],
        all_rows: bool,
    ) -> None:
        self.correlation, self.bank = correlation, bank
        self.epilogue, self.target = epilogue, target
        self.rows, self.columns = correlation.rows, correlation.columns
        self.dtype = correlation.dtype
        self.lanes = target.lanes(self.dtype)
        self.pitches = pitches
        #: Every row of the window counts, always.
        self.all_rows = all_rows
        self.texts: list[str] = []
        self.declarations: set[str] = set()
        self._names: dict[tuple[PixelTile, int, int], str] = {}

    def name(self, tile: PixelTile, vectors: int, tail: int) -> str:
        """The function of a tile; with a tail, the last vector has so many lanes only."""
        key = (tile, vectors, tail)
        if key not in self._names:
            self._names[key] = f"tile{len(self._names)}"
            writer = KernelWriter(self.target)
            cursor = {n: Register(f"%result{n}", "ptr") for n in sorted(self.epilogue.used)}
            self._emit(writer, tile, vectors, tail, cursor)
            parameters = [WINDOW, BANK, FIRST, STOP, CHANNEL, *cursor.values()]
            self.texts.append(writer.internal(self._names[key], parameters))
            self.declarations |= writer.declarations
        return self._names[key]

    def _emit(
        self, writer: KernelWriter, tile: PixelTile, vectors: int, tail: int, cursor: Cursor
    ) -> None:
        masks: list[Register | None] = [None] * vectors
        if tail:
            masks[-1] = writer.constants("i1", [lane < tail for lane in range(self.lanes)])
        sums = self._sums(writer, tile, masks)
        if self.epilogue.is_plain:
            for pixel, values in enumerate(sums):
                self._finish(writer, cursor, divmod(pixel, tile.width), values, masks)
            return
        # One copy of the steps, in a loop, is compiled sooner than one for each register.
        shape = Tile(len(sums), vectors, self.lanes)
        held = writer.emit("ptr", f"alloca [{shape.rows * shape.columns} x i64], align 64")
        store_sums(writer, shape, sums, held)
        with writer.counted(0, tile.rows) as row, writer.counted(0, tile.width) as column:
            number = writer.add(writer.times(row, tile.width), column)
            at = writer.element(held, self.dtype, writer.times(number, shape.columns))
            loaded = [
                writer.load_element(
                    writer.element(at, self.dtype, v * self.lanes), self.dtype, self.lanes
                )
                for v in range(vectors)
            ]
            self._finish(writer, cursor, (row, column), loaded, masks)

    def _finish(
        self,
        writer: KernelWriter,
        cursor: Cursor,
        pixel: tuple[Index, Index],
        values: Sequence[Register],
        masks: Sequence[Register | None],
    ) -> None:
        """The steps for one pixel of the tile."""
        down, across = self.correlation.step
        steps = (0, writer.times(pixel[0], down), writer.times(pixel[1], across), 0)
        place = writer.moved(cursor, self.epilogue.operands, steps)
        for v, (value, mask) in enumerate(zip(values, masks, strict=True)):
            first = v * self.lanes
            here = writer.moved(place, self.epilogue.operands, (0, 0, 0, first))
            channel = writer.add(CHANNEL, first)
            self.epilogue.emit(writer, here, channel, value, self.lanes, mask, cursor)

    def _sums(
        self, writer: KernelWriter, tile: PixelTile, masks: Sequence[Register | None]
    ) -> Sums:
        vectors, pixels = len(masks), tile.rows * tile.width
        start = zero_sums(writer, Tile(pixels, vectors, self.lanes), self.dtype)
        if not (self.rows.taps and self.columns.taps):
            return start

        def row_of_window(tap: Register, carried: list[Register]) -> list[Register]:
            sums = [carried[p * vectors : (p + 1) * vectors] for p in range(pixels)]
            down = writer.times(tap, self.rows.dilation * self.pitches[0])
            window = writer.element(WINDOW, self.dtype, down)
            along = writer.times(tap, self.bank.strides[0])
            bank = writer.element(BANK, self.dtype, along)
            self._segments(writer, tile, masks, window, bank, sums)
            return [value for row in sums for value in row]

        flat = [value for row in start for value in row]
        limits: tuple[Index, Index] = (0, self.rows.taps) if self.all_rows else (FIRST, STOP)
        # Without a test for no rows at all, most often: it would take a copy of all sums.
        after = writer.folded(*limits, flat, row_of_window, meets_input(self.rows))
        return [after[p * vectors : (p + 1) * vectors] for p in range(pixels)]

    def _segments(
        self,
        writer: KernelWriter,
        tile: PixelTile,
        masks: Sequence[Register | None],
        window: Register,
        bank: Register,
        sums: Sums,
    ) -> None:
        """Adds one row of the window to the sums."""
        by_row, by_column, _ = self.pitches
        down = self.rows.stride * by_row
        across = self.columns.stride * by_column
        tapwise = self.columns.dilation * by_column
        readable = self.bank.padded and not self.correlation.lanewise
        masked = not readable and any(mask is not None for mask in masks)
        everywhere = writer.constant("i1", True, self.lanes)
        for segment in tile.segments:
            chosen = [
                row * tile.width + pixel for row in range(tile.rows) for pixel in segment.pixels
            ]
            left = [
                LeftRow(
                    window,
                    pixel // tile.width * down
                    + pixel % tile.width * across
                    + segment.tap * tapwise,
                )
                for pixel in chosen
            ]
            along = segment.tap * self.bank.strides[1]
            right = writer.element(bank, self.dtype, along)
            operands = Operands(
                left,
                right,
                self.dtype,
                self.dtype,
                self.dtype,
                [mask or everywhere for mask in masks] if masked else (),
                self.correlation.lanewise,
            )
            shape = Tile(len(chosen), len(masks), self.lanes)
            start = [sums[pixel] for pixel in chosen]
            result = emit_sums(writer, shape, operands, self._loops(segment.taps), start)
            for pixel, values in zip(chosen, result, strict=True):
                sums[pixel] = values

    def _loops(self, taps: int) -> list[Loop]:
        """Over some columns of a window and the channels."""
        _, by_column, by_channel = self.pitches
        _, bank_column, bank_channel = self.bank.strides
        depth, tapwise = self.correlation.depth, self.columns.dilation * by_column
        inner = (by_channel, bank_channel)
        if taps == 1 or (tapwise, bank_column) == (depth * by_channel, depth * bank_channel):
            return [Loop(taps * depth, *inner)]
        return [Loop(taps, tapwise, bank_column), Loop(depth, *inner)]
