"""Copies of images with zeros around them, in the memory of a thread."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.codegen.convolution_writer import Index, KernelWriter, for_vectors
from workbench.core.codegen.emitter import Register, element_type
from workbench.core.kernels.windows import Axis


def copied_extent(axis: Axis) -> tuple[int, int]:
    """How many zeros come first in a padded copy along an axis, and then how many values.

    >>> copied_extent(Axis(5, 3, 1, 1, 1, 5)), copied_extent(Axis(5, 2, 2, 1, -1, 2))
    ((1, 5), (0, 4))
    """
    start = max(axis.before, 0)
    return start, max(0, min(axis.size, axis.span - axis.before) - max(0, -axis.before))


@dataclass(frozen=True)
class Pixel:
    """The elements of a pixel in the copy: `outer` times `inner` of the source.

    Each is a count and a stride; a stride of 0 repeats an element.
    """

    outer: tuple[int, int]
    inner: tuple[int, int]

    @property
    def size(self) -> int:
        """How many they are."""
        return self.outer[0] * self.inner[0]

    @property
    def is_run(self) -> bool:
        """Whether they lie side by side in the source as well."""
        count, stride = self.inner
        return stride == 1 and (self.outer[0] == 1 or self.outer[1] == count)


class PaddedCopy:
    """Copies rows of an image; a row of the copy has all the columns that the windows span."""

    def __init__(
        self,
        writer: KernelWriter,
        rows: Axis,
        columns: Axis,
        pixel: Pixel,
        strides: tuple[int, int],
        dtype: str,
        lanes: int,
    ) -> None:
        self.writer = writer
        self.rows, self.columns = rows, columns
        self.pixel, self.dtype, self.lanes = pixel, dtype, lanes
        #: From row to row and from column to column of the source.
        self.strides = strides

    @property
    def pitch(self) -> int:
        """Elements of a row of the copy."""
        return max(self.columns.span, 0) * self.pixel.size

    def write(self, image: Register, copy: Register, first: Index, count: Index) -> None:
        """Copies `count` rows that the windows span, from row `first` of the padded image on."""
        writer = self.writer
        start, length = copied_extent(self.columns)
        # A column of the source to start from where the padding is negative.
        skipped = max(0, -self.columns.before)
        each = self.pixel.size
        with writer.counted(0, count) as number:
            row = writer.add(writer.add(first, number), -self.rows.before)
            to = writer.element(copy, self.dtype, writer.times(number, self.pitch))
            inside = writer.compare("ult", writer.index(row), writer.index(self.rows.size))
            real, empty, done = map(writer.new_label, ("real", "empty", "copied"))
            writer.branch(inside, real, empty)
            writer.start_block(empty)
            self._zeros(to, 0, self.pitch)
            writer.jump(done)
            writer.start_block(real)
            self._zeros(to, 0, start * each)
            source = writer.add(writer.times(row, self.strides[0]), skipped * self.strides[1])
            at = writer.element(image, self.dtype, source)
            self._values(at, writer.element(to, self.dtype, start * each), length)
            self._zeros(to, (start + length) * each, self.pitch - (start + length) * each)
            writer.jump(done)
            writer.start_block(done)

    def _values(self, source: Register, to: Register, length: int) -> None:
        writer, dtype, pixel = self.writer, self.dtype, self.pixel
        if pixel.is_run and self.strides[1] == pixel.size:
            self._run(source, to, length * pixel.size)
            return
        if length < 1:
            return
        with writer.counted(0, length) as column:
            here = writer.element(source, dtype, writer.times(column, self.strides[1]))
            there = writer.element(to, dtype, writer.times(column, pixel.size))
            if pixel.is_run:
                self._run(here, there, pixel.size)
                return
            with writer.counted(0, pixel.outer[0]) as i, writer.counted(0, pixel.inner[0]) as j:
                offset = writer.add(
                    writer.times(i, pixel.outer[1]), writer.times(j, pixel.inner[1])
                )
                value = writer.load_element(writer.element(here, dtype, offset), dtype, 1)
                place = writer.add(writer.times(i, pixel.inner[0]), j)
                writer.store_element(value, writer.element(there, dtype, place), dtype, 1)

    def _run(self, source: Register, to: Register, length: int) -> None:
        writer, dtype = self.writer, self.dtype

        def copy(at: Index, mask: Register | None) -> None:
            here = writer.element(source, dtype, at)
            value = writer.load_element(here, dtype, self.lanes, mask)
            writer.store_element(value, writer.element(to, dtype, at), dtype, self.lanes, mask)

        for_vectors(writer, length, self.lanes, copy)

    def _zeros(self, to: Register, begin: int, length: int) -> None:
        writer, dtype = self.writer, self.dtype
        zero = writer.constant(element_type(dtype), 0.0, self.lanes)

        def clear(at: Index, mask: Register | None) -> None:
            place = writer.element(to, dtype, writer.add(at, begin))
            writer.store_element(zero, place, dtype, self.lanes, mask)

        for_vectors(writer, length, self.lanes, clear)
