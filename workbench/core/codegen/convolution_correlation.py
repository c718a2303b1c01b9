"""The kernel of a correlation: a forward convolution, or a part of the gradient by the images.

A unit is a band of rows of the result of one image. Where windows reach into the padding, the tiles
at the borders leave out the taps that would meet it; where that is not worth its code (windows with
many columns, few channels, short rows), the band is first copied with zeros around it.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_geometry import Correlation
from workbench.core.codegen.convolution_padding import PaddedCopy
from workbench.core.codegen.convolution_tiling import (
    PixelTile,
    Run,
    most_pixels,
    runs,
    share_of_padding,
    vectors_of_block,
)
from workbench.core.codegen.convolution_writer import (
    BEGIN,
    END,
    SCRATCH,
    Cursor,
    Index,
    KernelWriter,
)
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
from workbench.core.codegen.specs import Call
from workbench.core.codegen.target import ITEM_BYTES, Target

#: A window with more columns has no tiles of its own at the borders.
_MOST_COLUMNS = 7

#: With fewer channels the loops over single columns of a window are too short.
_LEAST_DEPTH = 8

#: The least share of products with padding that tiles of their own are worth their code for.
_WORTH = 0.05

#: Bytes of a padded band, if it is not one row of tiles.
_BAND_BYTES = 1 << 18

#: Operations of a band and of a chunk at least.
_CHUNK_FLOPS = 2e6

#: There are at least so many units, if they are that large.
_UNITS = 16


def correlation_call(
    correlation: Correlation, epilogue: Epilogue, target: Target, batch: int
) -> Call:
    """The call with its units; the batch is not part of its code."""
    return _Kernel(correlation, epilogue, target).call(batch)


class _Kernel:
    def __init__(self, correlation: Correlation, epilogue: Epilogue, target: Target) -> None:
        self.correlation, self.epilogue, self.target = correlation, epilogue, target
        self.rows, self.columns = correlation.rows, correlation.columns
        self.dtype = correlation.dtype
        self.lanes = target.lanes(self.dtype)
        self.vectors = vectors_of_block(target, self.dtype, correlation.filters)
        self.empty = not (self.rows.taps and self.columns.taps)
        most = most_pixels(target, self.vectors)
        self.inside = self.empty or (self.rows.inside and self.columns.inside)
        bordered = (
            self.columns.output * 2 > most
            and self.columns.taps <= _MOST_COLUMNS
            and (correlation.depth >= _LEAST_DEPTH or correlation.lanewise)
            and (self.columns.inside or share_of_padding(self.columns) >= _WORTH)
        )
        copied = correlation.source.only_copied and not self.empty
        self.padded = copied or not (self.inside or bordered)
        self.runs = runs(self.columns, most, self.padded or self.inside)
        self.high = min(self.runs[0].tile.rows, self.rows.output)
        #: Every row of the window is on the image, or in the copy.
        self.all_rows = self.inside or self.rows.inside or self.high > 1
        source = correlation.source
        _, by_row, by_column = source.strides
        #: From row to row, column to column, channel to channel of what the tiles read.
        self.pitches = (by_row, by_column, source.channel)
        self.writer = KernelWriter(target)
        if self.padded:
            self.copy = PaddedCopy(
                self.writer,
                self.rows,
                self.columns,
                source.pixel,
                (by_row, by_column),
                self.dtype,
                self.lanes,
            )
            self.pitches = (self.copy.pitch, source.pixel.size, source.copied_channel)
        self.texts: list[str] = []
        self.names: dict[tuple[PixelTile, int, int], str] = {}

    # -- sizes -------------------------------------------------------------------------------

    def call(self, batch: int) -> Call:
        band = self._band_rows(batch)
        bands = -(-self.rows.output // band)
        self._body(band, bands)
        scratch = self._band_bytes(self._most_rows()) if self.padded else 0
        code = self.writer.code("convolution", scratch, self.texts)
        chunk = max(1, int(_CHUNK_FLOPS // max(1.0, self._row_flops() * band)))
        return Call(code, tuple(self.writer.arguments), batch * bands, chunk)

    def _row_flops(self) -> float:
        taps = self.rows.taps * self.columns.taps * self.correlation.depth
        return 2.0 * taps * self.columns.output * self.correlation.filters

    def _band_bytes(self, rows: int) -> int:
        span = self.rows._replace(output=rows).span
        return span * self.copy.pitch * ITEM_BYTES[self.dtype]

    def _most_rows(self) -> int:
        """The most rows of a band, whatever the batch is."""
        if not self.padded:
            return self.rows.output
        rows = self.high
        while rows < self.rows.output and self._band_bytes(rows + self.high) <= _BAND_BYTES:
            rows += self.high
        return rows

    def _band_rows(self, batch: int) -> int:
        wanted = -(-_UNITS // max(1, batch))
        worth = self._row_flops() * self.rows.output / _CHUNK_FLOPS
        bands = max(1, min(wanted, int(worth)))
        rows = min(-(-self.rows.output // bands), self._most_rows())
        return -(-rows // self.high) * self.high

    # -- the kernel --------------------------------------------------------------------------

    def _body(self, band: int, bands: int) -> None:
        writer, correlation = self.writer, self.correlation
        source = writer.address(correlation.source.argument)
        bank = writer.address(correlation.bank.argument)
        results = writer.operands(self.epilogue.used)
        band_rows, band_count = writer.integer(band), writer.integer(bands)
        with writer.counted(BEGIN, END) as unit:
            image, number = writer.divided(unit, band_count)
            first = writer.times(number, band_rows)
            stop = writer.at_most(writer.add(first, band_rows), self.rows.output)
            by_image = correlation.source.strides[0]
            images = writer.element(source, self.dtype, writer.times(image, by_image))
            there = writer.moved(results, self.epilogue.operands, (image, 0, 0, 0))
            start: Index = writer.times(first, self.rows.stride)
            if self.padded:
                reach = (self.rows.taps - 1) * self.rows.dilation + 1
                last = writer.times(writer.add(writer.subtract(stop, first), -1), self.rows.stride)
                self.copy.write(images, SCRATCH, start, writer.add(last, reach))
                images = SCRATCH
            self._blocks(images, bank, there, first, stop)

    def _blocks(
        self, images: Register, bank: Register, there: Cursor, first: Index, stop: Index
    ) -> None:
        """One block of filters after the other."""
        writer, width = self.writer, self.vectors * self.lanes
        full, rest = divmod(self.correlation.filters, width)
        if full:
            with writer.counted(0, full) as number:
                channel = writer.times(number, width)
                self._rows(images, bank, there, first, stop, channel, self.vectors, 0)
        if rest:
            vectors = -(-rest // self.lanes)
            tail = rest % self.lanes
            self._rows(images, bank, there, first, stop, full * width, vectors, tail)

    def _rows(
        self,
        images: Register,
        bank: Register,
        there: Cursor,
        first: Index,
        stop: Index,
        channel: Index,
        vectors: int,
        tail: int,
    ) -> None:
        writer = self.writer
        by_filter = self.correlation.bank.strides[3]
        block = writer.element(bank, self.dtype, writer.times(channel, by_filter))
        if self.correlation.lanewise:
            images = writer.element(images, self.dtype, channel)
        here = writer.moved(there, self.epilogue.operands, (0, 0, 0, channel))

        def row_of_tiles(row: Index, high: int) -> None:
            for run in self.runs:
                self._run(run, images, block, here, first, row, channel, high, vectors, tail)

        groups, _ = writer.divided(writer.subtract(stop, first), self.high)
        with writer.counted(0, groups) as group:
            row_of_tiles(writer.add(first, writer.times(group, self.high)), self.high)
        rest = self.rows.output % self.high
        if rest:
            after = writer.add(first, writer.times(groups, self.high))
            # The last band alone has these rows.
            left = writer.at_most(writer.subtract(stop, after), 1)
            with writer.counted(0, left):
                row_of_tiles(after, rest)

    def _run(
        self,
        run: Run,
        images: Register,
        block: Register,
        here: Cursor,
        first: Index,
        row: Index,
        channel: Index,
        high: int,
        vectors: int,
        tail: int,
    ) -> None:
        """Tiles side by side."""
        writer, correlation = self.writer, self.correlation
        tile = PixelTile(high, run.tile.width, run.tile.segments)
        name = self._tile(tile, vectors, tail)
        with writer.counted(0, run.count) as number:
            column = writer.add(run.begin, writer.times(number, tile.width))
            if self.padded:
                top = writer.times(writer.subtract(row, first), self.rows.stride)
                left = writer.times(column, self.columns.stride)
            else:
                top = writer.add(writer.times(row, self.rows.stride), -self.rows.before)
                left = writer.add(writer.times(column, self.columns.stride), -self.columns.before)
            offset = writer.add(
                writer.times(top, self.pitches[0]), writer.times(left, self.pitches[1])
            )
            window = writer.element(images, self.dtype, offset)
            begin, end = self._taps(row)
            at_row = writer.add(writer.times(row, correlation.step[0]), correlation.first[0])
            at_column = writer.add(writer.times(column, correlation.step[1]), correlation.first[1])
            place = writer.moved(here, self.epilogue.operands, (0, at_row, at_column, 0))
            writer.call_internal(
                name,
                [
                    window,
                    block,
                    writer.index(begin),
                    writer.index(end),
                    writer.index(channel),
                    *place.values(),
                ],
            )

    def _taps(self, row: Index) -> tuple[Index, Index]:
        """The rows of the window that lie on the image."""
        axis, writer = self.rows, self.writer
        if self.all_rows:
            return 0, axis.taps
        top = writer.add(writer.times(row, axis.stride), -axis.before)
        missing = writer.at_least(writer.subtract(axis.dilation - 1, top), 0)
        begin, _ = writer.divided(missing, axis.dilation)
        below = writer.at_least(writer.subtract(axis.size - 1 + axis.dilation, top), 0)
        end, _ = writer.divided(below, axis.dilation)
        return begin, writer.at_most(end, axis.taps)

    # -- a tile ------------------------------------------------------------------------------

    def _tile(self, tile: PixelTile, vectors: int, tail: int) -> str:
        """The name of the function of a tile, which is written once."""
        key = (tile, vectors, tail)
        if key not in self.names:
            self.names[key] = f"tile{len(self.names)}"
            writer = KernelWriter(self.target)
            parameters = [
                Register("%window", "ptr"),
                Register("%bank", "ptr"),
                Register("%first", "i64"),
                Register("%stop", "i64"),
                Register("%channel", "i64"),
                *(Register(f"%result{n}", "ptr") for n in sorted(self.epilogue.used)),
            ]
            self._emit_tile(writer, tile, vectors, tail)
            self.texts.append(writer.internal(self.names[key], parameters))
            self.writer.declarations |= writer.declarations
        return self.names[key]

    def _emit_tile(self, writer: KernelWriter, tile: PixelTile, vectors: int, tail: int) -> None:
        masks: list[Register | None] = [None] * vectors
        if tail:
            masks[-1] = writer.constants("i1", [lane < tail for lane in range(self.lanes)])
        sums = self._sums(writer, tile, masks)
        cursor = {n: Register(f"%result{n}", "ptr") for n in sorted(self.epilogue.used)}
        shape = Tile(tile.rows * tile.width, vectors, self.lanes)
        # One copy of the steps, in a loop, is compiled sooner than one for each register.
        held = writer.emit("ptr", f"alloca [{shape.rows * shape.columns} x i64], align 64")
        store_sums(writer, shape, sums, held)
        with writer.counted(0, tile.rows) as row, writer.counted(0, tile.width) as column:
            pixel = writer.add(writer.times(row, tile.width), column)
            values = writer.element(held, self.dtype, writer.times(pixel, shape.columns))
            down = writer.times(row, self.correlation.step[0])
            across = writer.times(column, self.correlation.step[1])
            place = writer.moved(cursor, self.epilogue.operands, (0, down, across, 0))
            for v, mask in enumerate(masks):
                first = v * self.lanes
                here = writer.moved(place, self.epilogue.operands, (0, 0, 0, first))
                at = writer.element(values, self.dtype, first)
                value = writer.load_element(at, self.dtype, self.lanes)
                channel = writer.add(Register("%channel", "i64"), first)
                self.epilogue.emit(writer, here, channel, value, self.lanes, mask, cursor)

    def _sums(
        self, writer: KernelWriter, tile: PixelTile, masks: Sequence[Register | None]
    ) -> Sums:
        vectors, pixels = len(masks), tile.rows * tile.width
        start = zero_sums(writer, Tile(pixels, vectors, self.lanes), self.dtype)
        if self.empty:
            return start

        def row_of_window(tap: Register, carried: list[Register]) -> list[Register]:
            sums = [carried[p * vectors : (p + 1) * vectors] for p in range(pixels)]
            down = writer.times(tap, self.rows.dilation * self.pitches[0])
            window = writer.element(Register("%window", "ptr"), self.dtype, down)
            along = writer.times(tap, self.correlation.bank.strides[0])
            bank = writer.element(Register("%bank", "ptr"), self.dtype, along)
            self._segments(writer, tile, masks, window, bank, sums)
            return [value for row in sums for value in row]

        flat = [value for row in start for value in row]
        first, stop = Register("%first", "i64"), Register("%stop", "i64")
        limits: tuple[Index, Index] = (0, self.rows.taps) if self.all_rows else (first, stop)
        after = writer.folded(*limits, flat, row_of_window)
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
        readable = self.correlation.bank.padded and not self.correlation.lanewise
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
            along = segment.tap * self.correlation.bank.strides[1]
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
        _, bank_column, bank_channel, _ = self.correlation.bank.strides
        depth, tapwise = self.correlation.depth, self.columns.dilation * by_column
        inner = (by_channel, bank_channel)
        if taps == 1 or (tapwise, bank_column) == (depth * by_channel, depth * bank_channel):
            return [_unrolled(taps * depth, *inner)]
        return [Loop(taps, tapwise, bank_column), _unrolled(depth, *inner)]


def _unrolled(count: int, left: int, right: int) -> Loop:
    """A loop; a very short one is written out."""
    return Loop(count, left, right, count if count <= 5 else 1)
