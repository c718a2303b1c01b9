"""The kernel of a correlation: a forward convolution, or a part of the gradient by the images.

A unit is a band of rows of the result, of some images, for some blocks of filters: usually of one
image and for all filters. Where the filter is too large for the cache, a block of it serves several
images before the next one comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_geometry import Bank, Correlation
from workbench.core.codegen.convolution_padding import PaddedCopy
from workbench.core.codegen.convolution_pixels import PixelTiles
from workbench.core.codegen.convolution_tiling import (
    BANK_BYTES,
    PixelTile,
    Run,
    bank_bytes,
    tiling,
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
from workbench.core.codegen.specs import Call
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Bytes of a padded band, if it is not one row of tiles.
_BAND_BYTES = 1 << 18

#: Bytes of images that a block of a large filter serves together.
_IMAGES_BYTES = 1 << 19

#: Operations of a unit and of a chunk at least.
_CHUNK_FLOPS = 2e6

#: There are at least so many units, if they are that large.
_UNITS = 16


def correlation_call(
    correlation: Correlation, bank: Bank, epilogue: Epilogue, target: Target, batch: int
) -> Call:
    """The call with its units; the batch is not part of its code."""
    return _Kernel(correlation, bank, epilogue, target).call(batch)


@dataclass(frozen=True)
class _Sharing:
    """How images, rows of the result and blocks of filters are shared out."""

    batch: int
    #: Images of a unit.
    images: int
    #: Bands of an image, and rows of a band.
    bands: int
    rows: int
    #: Parts of the filter, and blocks of a part.
    parts: int
    blocks: int

    @property
    def units(self) -> int:
        return -(-self.batch // self.images) * self.bands * self.parts


@dataclass(frozen=True)
class _Band:
    """Rows `first` to `stop` of the result of one image."""

    images: Register
    bank: Register
    place: Cursor
    first: Index
    stop: Index


class _Kernel:
    def __init__(
        self, correlation: Correlation, bank: Bank, epilogue: Epilogue, target: Target
    ) -> None:
        self.correlation, self.bank, self.epilogue = correlation, bank, epilogue
        self.rows, self.columns = correlation.rows, correlation.columns
        self.dtype = correlation.dtype
        self.lanes = target.lanes(self.dtype)
        self.tiling = tiling(correlation, target)
        self.width = self.tiling.vectors * self.lanes
        self.blocks = -(-correlation.filters // self.width)
        self.writer = KernelWriter(target)
        source = correlation.source
        _, by_row, by_column = source.strides
        #: From row to row, column to column, channel to channel of what the tiles read.
        self.pitches = (by_row, by_column, source.channel)
        if self.tiling.padded:
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
        self.tiles = PixelTiles(
            correlation, bank, epilogue, target, self.pitches, self.tiling.all_rows
        )

    # -- sizes -------------------------------------------------------------------------------

    def call(self, batch: int) -> Call:
        sharing = self._sharing(batch)
        self._body(sharing)
        scratch = self._band_bytes(self._most_rows()) if self.tiling.padded else 0
        self.writer.declarations |= self.tiles.declarations
        code = self.writer.code("convolution", scratch, self.tiles.texts)
        flops = self._row_flops() * sharing.rows * sharing.images / sharing.parts
        chunk = max(1, int(_CHUNK_FLOPS // max(1.0, flops)))
        return Call(code, tuple(self.writer.arguments), sharing.units, chunk)

    def _row_flops(self) -> float:
        taps = self.rows.taps * self.columns.taps * self.correlation.depth
        return 2.0 * taps * self.columns.output * self.correlation.filters

    def _band_bytes(self, rows: int) -> int:
        span = self.rows._replace(output=rows).span
        return span * self.copy.pitch * ITEM_BYTES[self.dtype]

    def _most_rows(self) -> int:
        """The most rows of a band, whatever the batch is."""
        high = self.tiling.high
        if not self.tiling.padded:
            return -(-self.rows.output // high) * high
        rows = high
        while rows < self.rows.output and self._band_bytes(rows + high) <= _BAND_BYTES:
            rows += high
        return rows

    def _sharing(self, batch: int) -> _Sharing:
        item = ITEM_BYTES[self.dtype]
        source = self.rows.size * self.columns.size * self.correlation.source.pixel.size * item
        bank = bank_bytes(self.correlation)
        images = 1
        if bank > BANK_BYTES:
            images = max(1, min(batch, _IMAGES_BYTES // max(1, source)))
        wanted = -(-_UNITS // max(1, -(-batch // images)))
        worth = self._row_flops() * self.rows.output * images / _CHUNK_FLOPS
        pieces = max(1, min(wanted, int(worth)))
        # The pieces of an image all read the filter, those of the filter all read the image.
        parts = min(self.blocks, pieces) if bank > source * images else 1
        blocks = -(-self.blocks // parts)
        bands = max(1, pieces // parts)
        rows = min(-(-self.rows.output // bands), self._most_rows())
        rows = -(-rows // self.tiling.high) * self.tiling.high
        bands = -(-self.rows.output // rows)
        return _Sharing(batch, images, bands, rows, -(-self.blocks // blocks), blocks)

    # -- the kernel --------------------------------------------------------------------------

    def _body(self, sharing: _Sharing) -> None:
        writer, correlation = self.writer, self.correlation
        source = writer.address(correlation.source.argument)
        bank = writer.address(self.bank.argument)
        results = writer.operands(self.epilogue.used)
        batch, images = writer.integer(sharing.batch), writer.integer(sharing.images)
        bands, rows = writer.integer(sharing.bands), writer.integer(sharing.rows)
        parts, blocks = writer.integer(sharing.parts), writer.integer(sharing.blocks)
        with writer.counted(BEGIN, END) as unit:
            rest, part = writer.divided(unit, parts)
            group, band = writer.divided(rest, bands)
            first = writer.times(band, rows)
            stop = writer.at_most(writer.add(first, rows), self.rows.output)
            first_block = writer.times(part, blocks)
            last_block = writer.at_most(writer.add(first_block, blocks), self.blocks)
            first_image = writer.times(group, images)
            last_image = writer.at_most(writer.add(first_image, images), batch)
            with (
                writer.counted(first_block, last_block) as block,
                writer.counted(first_image, last_image) as image,
            ):
                by_image = correlation.source.strides[0]
                here = writer.element(source, self.dtype, writer.times(image, by_image))
                place = writer.moved(results, self.epilogue.operands, (image, 0, 0, 0))
                if self.tiling.padded:
                    # The copy of a single image is still there for the next block.
                    again = writer.compare("sgt", images, writer.index(1))
                    begins = writer.compare("eq", block, writer.index(first_block))
                    with writer.conditional(writer.binary("or", again, begins)):
                        self._copy(here, first, stop)
                    here = SCRATCH
                self._block(_Band(here, bank, place, first, stop), block)

    def _copy(self, image: Register, first: Index, stop: Index) -> None:
        """The rows that the windows of a band span."""
        writer, axis = self.writer, self.rows
        last = writer.times(writer.subtract(stop, first), axis.stride)
        reach = (axis.taps - 1) * axis.dilation + 1 - axis.stride
        start = writer.times(first, axis.stride)
        self.copy.write(image, SCRATCH, start, writer.add(last, reach))

    def _block(self, band: _Band, block: Register) -> None:
        """One block of filters: a full one, or the last."""
        writer = self.writer
        full, rest = divmod(self.correlation.filters, self.width)
        last = (-(-rest // self.lanes), rest % self.lanes)
        if not rest:
            self._rows(band, block, self.tiling.vectors, 0)
        elif not full:
            self._rows(band, block, *last)
        else:
            is_full = writer.compare("slt", block, writer.index(full))
            with writer.conditional(is_full):
                self._rows(band, block, self.tiling.vectors, 0)
            with writer.conditional(writer.compare("eq", block, writer.index(full))):
                self._rows(band, block, *last)

    def _rows(self, band: _Band, block: Register, vectors: int, tail: int) -> None:
        """All rows of a band, as many at a time as a tile is high."""
        writer, high = self.writer, self.tiling.high
        channel = writer.times(block, self.width)
        images = band.images
        if self.correlation.lanewise:
            images = writer.element(images, self.dtype, channel)
        band = _Band(
            images,
            writer.element(band.bank, self.dtype, writer.times(block, self.bank.block)),
            writer.moved(band.place, self.epilogue.operands, (0, 0, 0, channel)),
            band.first,
            band.stop,
        )

        def row_of_tiles(row: Index, high: int) -> None:
            for run in self.tiling.runs:
                tile = PixelTile(high, run.tile.width, run.tile.segments)
                name = self.tiles.name(tile, vectors, tail)
                self._run(run, name, band, row, channel)

        groups, _ = writer.divided(writer.subtract(band.stop, band.first), high)
        with writer.counted(0, groups) as group:
            row_of_tiles(writer.add(band.first, writer.times(group, high)), high)
        rest = self.rows.output % high
        if rest:
            after = writer.add(band.first, writer.times(groups, high))
            # The last band alone has these rows.
            with writer.conditional(writer.compare("slt", *map(writer.index, (after, band.stop)))):
                row_of_tiles(after, rest)

    def _run(self, run: Run, name: str, band: _Band, row: Index, channel: Index) -> None:
        """Tiles side by side."""
        writer, correlation = self.writer, self.correlation
        with writer.counted(0, run.count) as number:
            column = writer.add(run.begin, writer.times(number, run.tile.width))
            top = writer.times(row, self.rows.stride)
            left = writer.times(column, self.columns.stride)
            if self.tiling.padded:
                top = writer.subtract(top, writer.times(band.first, self.rows.stride))
            else:
                top = writer.subtract(top, self.rows.before)
                left = writer.subtract(left, self.columns.before)
            offset = writer.add(
                writer.times(top, self.pitches[0]), writer.times(left, self.pitches[1])
            )
            window = writer.element(band.images, self.dtype, offset)
            at_row = writer.add(writer.times(row, correlation.step[0]), correlation.first[0])
            at_column = writer.add(writer.times(column, correlation.step[1]), correlation.first[1])
            place = writer.moved(band.place, self.epilogue.operands, (0, at_row, at_column, 0))
            numbers = [writer.index(value) for value in (*self._taps(row), channel)]
            writer.call_internal(name, [window, band.bank, *numbers, *place.values()])

    def _taps(self, row: Index) -> tuple[Index, Index]:
        """The rows of the window that lie on the image."""
        axis, writer = self.rows, self.writer
        if self.tiling.all_rows:
            return 0, axis.taps
        top = writer.subtract(writer.times(row, axis.stride), axis.before)
        missing = writer.at_least(writer.subtract(axis.dilation - 1, top), 0)
        begin, _ = writer.divided(missing, axis.dilation)
        below = writer.at_least(writer.subtract(axis.size - 1 + axis.dilation, top), 0)
        end, _ = writer.divided(below, axis.dilation)
        return begin, writer.at_most(end, axis.taps)
