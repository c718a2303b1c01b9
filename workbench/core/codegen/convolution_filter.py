"""The gradient of a convolution by its filter.

It is a product summed over all pixels of the result in all images, and the filter is small: so the
images go in groups, each with sums of its own in the work space, and a second kernel adds the
groups up, always in the same order, and goes on with the steps.

A unit is a part of the filter for a group of images. The filter is cut into *slices*: one tap of
the window, or with few channels a row of the window or all of it, for one block of filters. In the
work space a group is [blocks of filters][rows of the filter][filters of a block].
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_filter_tiles import FilterTiles
from workbench.core.codegen.convolution_geometry import Source
from workbench.core.codegen.convolution_padding import PaddedCopy
from workbench.core.codegen.convolution_tiling import even_parts, most_pixels, vectors_of_block
from workbench.core.codegen.convolution_total import GroupSums, total_call
from workbench.core.codegen.convolution_writer import (
    BEGIN,
    END,
    SCRATCH,
    Index,
    KernelWriter,
)
from workbench.core.codegen.emitter import Register, element_type
from workbench.core.codegen.specs import Argument, Call
from workbench.core.codegen.target import ITEM_BYTES, Target
from workbench.core.kernels.windows import Axis

#: With fewer channels than this a slice is more than one tap of the window.
_LEAST_ROWS = 8

#: Groups of images at most, and units of work if there is enough of it.
_GROUPS = 8
_UNITS = 16

#: Bytes of images and gradients that are worked on together, and pixels of them at least.
_BAND_BYTES = 3 << 16
_BAND_PIXELS = 64

#: Operations of a unit at least.
_UNIT_FLOPS = 2e6


@dataclass(frozen=True)
class FilterGradient:
    """What is summed up: `images[.., r * s + y * d - before, .., k] * gradient[.., r, .., f]`.

    A lanewise one has an element `k + f` of the images instead. The strides of the gradient are in
    the order (batch, row, column); its filters lie side by side.
    """

    images: Source
    gradient: Argument
    gradient_strides: tuple[int, int, int]
    rows: Axis
    columns: Axis
    depth: int
    filters: int
    dtype: str
    lanewise: bool = False


def filter_gradient_calls(
    gradient: FilterGradient, epilogue: Epilogue, target: Target, batch: int
) -> tuple[list[Call], int]:
    """The two calls, and the bytes of their work space; the batch is not part of their code."""
    kernel = _Kernel(gradient, target)
    sharing = kernel.sharing(batch)
    sums = kernel.call(sharing)
    total = total_call(kernel.sums, epilogue, target, sharing.groups)
    return [sums, total], kernel.sums.bytes(sharing.groups)


@dataclass(frozen=True)
class _Sharing:
    """How images and slices are shared out."""

    batch: int
    groups: int
    images: int
    parts: int
    slices: int


class _Kernel:
    def __init__(self, gradient: FilterGradient, target: Target) -> None:
        self.gradient, self.target = gradient, target
        self.rows, self.columns = gradient.rows, gradient.columns
        self.dtype = gradient.dtype
        self.lanes = target.lanes(self.dtype)
        self.vectors = vectors_of_block(target, self.dtype, gradient.filters)
        self.width = self.vectors * self.lanes
        self.writer = KernelWriter(target)
        images = gradient.images
        _, by_row, by_column = images.strides
        self.pitches = (by_row, by_column, images.channel)
        #: Rows and columns of the window in a slice.
        self.slice_window = self._slice_window()
        inside = self.rows.inside and self.columns.inside
        self.padded = images.only_copied or (self.slice_window != (1, 1) and not inside)
        if self.padded:
            self.copy = PaddedCopy(
                self.writer,
                self.rows,
                self.columns,
                images.pixel,
                (by_row, by_column),
                self.dtype,
                self.lanes,
            )
            self.pitches = (self.copy.pitch, images.pixel.size, images.copied_channel)
        self.slice_rows = prod(self.slice_window) * gradient.depth
        filter_rows = self.rows.taps * self.columns.taps * gradient.depth
        self.sums = GroupSums(
            self.columns.taps,
            gradient.depth,
            filter_rows,
            gradient.filters,
            self.width,
            self.dtype,
        )
        self.slices = self.sums.blocks * filter_rows // self.slice_rows
        #: Rows of the result that are worked on together.
        self.band = self._band_rows()
        by_row, by_column, _ = self.pitches
        self.tiles = FilterTiles(
            target,
            self.dtype,
            (self.rows.stride * by_row, self.columns.stride * by_column),
            gradient.gradient_strides[1:],
            self.width,
            gradient.lanewise,
        )

    def _slice_window(self) -> tuple[int, int]:
        if self.gradient.depth >= _LEAST_ROWS:
            return 1, 1
        if self.columns.taps * self.gradient.depth >= _LEAST_ROWS:
            return 1, self.columns.taps
        return self.rows.taps, self.columns.taps

    # -- sizes -------------------------------------------------------------------------------

    def _band_rows(self) -> int:
        """So few that what they need stays in the cache for all slices."""
        gradient, columns = self.gradient, self.columns
        size = self.rows.stride * columns.size * gradient.images.pixel.size
        size += columns.output * gradient.filters
        rows = _BAND_BYTES // (size * ITEM_BYTES[self.dtype])
        rows = max(rows, -(-_BAND_PIXELS // columns.output))
        bands = -(-self.rows.output // rows)
        return -(-self.rows.output // bands)

    def sharing(self, batch: int) -> _Sharing:
        """Groups of images as long as their sums are small beside what is read; then parts."""
        images = batch * self.rows.size * self.columns.size * self.gradient.depth
        results = batch * self.rows.output * self.columns.output * self.gradient.filters
        flops = 2.0 * results * self.sums.rows
        most = (images + results) // (2 * self.sums.elements)
        units = max(1, min(_UNITS, int(flops / _UNIT_FLOPS)))
        groups = max(1, min(batch, _GROUPS, most, units))
        each = max(1, -(-batch // groups))
        groups = max(1, -(-batch // each))
        share = -(-self.slices // min(self.slices, -(-units // groups)))
        return _Sharing(batch, groups, each, -(-self.slices // share), share)

    def call(self, sharing: _Sharing) -> Call:
        self._body(sharing)
        scratch = 0
        if self.padded:
            span = self.rows._replace(output=self.band).span
            scratch = span * self.copy.pitch * ITEM_BYTES[self.dtype]
        self.writer.declarations |= self.tiles.declarations
        code = self.writer.code("filter_gradient", scratch, self.tiles.texts)
        return Call(code, tuple(self.writer.arguments), sharing.groups * sharing.parts, 1)

    # -- the kernel --------------------------------------------------------------------------

    def _body(self, sharing: _Sharing) -> None:
        writer = self.writer
        images = writer.address(self.gradient.images.argument)
        gradients = writer.address(self.gradient.gradient)
        sums = writer.address(Argument("workspace", 0))
        batch, each = writer.integer(sharing.batch), writer.integer(sharing.images)
        parts, share = writer.integer(sharing.parts), writer.integer(sharing.slices)
        size = self.slice_rows * self.width
        with writer.counted(BEGIN, END) as unit:
            group, part = writer.divided(unit, parts)
            first = writer.times(part, share)
            stop = writer.at_most(writer.add(first, share), self.slices)
            group_sums = writer.element(sums, self.dtype, writer.times(group, self.sums.elements))
            self._clear(group_sums, writer.times(first, size), writer.times(stop, size))
            begin = writer.times(group, each)
            with writer.counted(begin, writer.at_most(writer.add(begin, each), batch)) as image:
                by_image = self.gradient.images.strides[0]
                source = writer.element(images, self.dtype, writer.times(image, by_image))
                by_image = self.gradient.gradient_strides[0]
                right = writer.element(gradients, self.dtype, writer.times(image, by_image))
                with writer.counted(0, -(-self.rows.output // self.band)) as number:
                    top = writer.times(number, self.band)
                    bottom = writer.at_most(writer.add(top, self.band), self.rows.output)
                    self._band(source, right, group_sums, (top, bottom), (first, stop))

    def _band(
        self,
        source: Register,
        right: Register,
        sums: Register,
        band: tuple[Index, Index],
        slices: tuple[Index, Index],
    ) -> None:
        """Adds some rows of an image to the sums of some slices."""
        writer = self.writer
        if self.padded:
            start = writer.times(band[0], self.rows.stride)
            last = writer.times(writer.subtract(band[1], band[0]), self.rows.stride)
            reach = (self.rows.taps - 1) * self.rows.dilation + 1 - self.rows.stride
            self.copy.write(source, SCRATCH, start, writer.add(last, reach))
            source = SCRATCH
        with writer.counted(*slices) as number:
            size = self.slice_rows * self.width
            there = writer.element(sums, self.dtype, writer.times(number, size))
            self._slice(number, source, right, there, band)

    def _clear(self, sums: Register, begin: Index, end: Index) -> None:
        """Zeros from one element to another, whole vectors."""
        writer = self.writer
        zero = writer.constant(element_type(self.dtype), 0.0, self.lanes)
        first, _ = writer.divided(begin, self.lanes)
        stop, _ = writer.divided(end, self.lanes)
        with writer.counted(first, stop) as vector:
            at = writer.element(sums, self.dtype, writer.times(vector, self.lanes))
            writer.store_element(zero, at, self.dtype, self.lanes)

    def _slice(
        self,
        number: Index,
        source: Register,
        right: Register,
        sums: Register,
        band: tuple[Index, Index],
    ) -> None:
        writer = self.writer
        high, wide = self.slice_window
        block, tap = writer.divided(number, self.rows.taps // high * (self.columns.taps // wide))
        row_tap, column_tap = writer.divided(tap, self.columns.taps // wide)
        rows_of = self._extent(self.rows, row_tap, high, band)
        columns_of = self._extent(self.columns, column_tap, wide, (0, self.columns.output))
        (top, row, rows), (left, column, columns) = rows_of, columns_of
        if self.padded:
            # The copy begins with the band.
            top = writer.times(row_tap, self.rows.dilation)
        by_row, by_column, _ = self.pitches
        window = writer.element(
            source,
            self.dtype,
            writer.add(writer.times(top, by_row), writer.times(left, by_column)),
        )
        _, g_row, g_column = self.gradient.gradient_strides
        if self.gradient.lanewise:
            window = writer.element(window, self.dtype, writer.times(block, self.width))
        there = writer.add(writer.times(row, g_row), writer.times(column, g_column))
        there = writer.add(there, writer.times(block, self.width))
        pixel = writer.element(right, self.dtype, there)
        one = writer.times(
            writer.at_most(writer.at_least(rows, 0), 1),
            writer.at_most(writer.at_least(columns, 0), 1),
        )
        counts = [writer.index(rows), writer.index(columns)]
        with writer.counted(0, one):
            self._block(block, [window, pixel, sums, *counts])

    def _extent(
        self, axis: Axis, tap: Index, taps: int, outputs: tuple[Index, Index]
    ) -> tuple[Index, Index, Index]:
        """The input and output where a tap first meets the images, and how many it meets.

        Only some outputs count. Where there is padding in the copy, every tap meets all of them.
        """
        writer = self.writer
        before = 0 if self.padded else axis.before
        offset = writer.add(writer.times(tap, axis.dilation), -before)
        first, stop = outputs
        if taps == 1 and not self.padded and not axis.inside:
            missing = writer.at_least(writer.subtract(0, offset), 0)
            meets, _ = writer.divided(writer.add(missing, axis.stride - 1), axis.stride)
            room = writer.at_least(writer.subtract(axis.size - 1 + axis.stride, offset), 0)
            leaves, _ = writer.divided(room, axis.stride)
            first, stop = writer.at_least(meets, first), writer.at_most(leaves, stop)
        start = writer.add(writer.times(first, axis.stride), offset)
        return start, first, writer.subtract(stop, first)

    def _block(self, block: Index, arguments: list[Register]) -> None:
        """The tiles of a slice, for a full block of filters or the last one."""
        writer = self.writer
        full, rest = divmod(self.gradient.filters, self.width)
        if full and rest:
            complete, partial, done = map(writer.new_label, ("full", "rest", "summed"))
            is_full = writer.compare("slt", writer.index(block), writer.index(full))
            writer.branch(is_full, complete, partial)
            writer.start_block(partial)
            self._tiles(-(-rest // self.lanes), rest % self.lanes, arguments)
            writer.jump(done)
            writer.start_block(complete)
            self._tiles(self.vectors, 0, arguments)
            writer.jump(done)
            writer.start_block(done)
        elif full:
            self._tiles(self.vectors, 0, arguments)
        else:
            self._tiles(self.vectors, rest % self.lanes, arguments)

    def _tiles(self, vectors: int, tail: int, arguments: list[Register]) -> None:
        writer, offsets = self.writer, self._offsets()
        window, pixel, sums, *counts = arguments
        for begin, length in even_parts(self.slice_rows, most_pixels(self.target, vectors)):
            base = offsets[begin]
            pattern = tuple(offset - base for offset in offsets[begin : begin + length])
            name = self.tiles.name(pattern, vectors, tail)
            at = writer.element(window, self.dtype, base)
            there = writer.element(sums, self.dtype, begin * self.width)
            writer.call_internal(name, [at, pixel, there, *counts])

    def _offsets(self) -> list[int]:
        """Where the rows of a slice start in the images, from its first one."""
        by_row, by_column, by_channel = self.pitches
        high, wide = self.slice_window
        return [
            row * self.rows.dilation * by_row
            + column * self.columns.dilation * by_column
            + channel * by_channel
            for row in range(high)
            for column in range(wide)
            for channel in range(self.gradient.depth)
        ]
