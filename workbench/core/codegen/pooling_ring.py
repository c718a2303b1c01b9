"""Sums of some rows of an image, for the gradients of poolings whose windows overlap."""

from __future__ import annotations

from workbench.core.codegen.convolution_writer import SCRATCH, Index, KernelWriter
from workbench.core.codegen.emitter import Register, element_type
from workbench.core.codegen.target import ITEM_BYTES

#: Bytes of sums that a thread works on at a time, if that is one vector at least.
_MOST_BYTES = 1 << 17


class Ring:
    """As many rows as a window has, for a block of channels, in the memory of the thread.

    A row's place is its number modulo a power of two.
    """

    def __init__(
        self, writer: KernelWriter, taps: int, width: int, channels: int, dtype: str, lanes: int
    ) -> None:
        self.writer, self.dtype, self.lanes = writer, dtype, lanes
        self.places = 1 << (taps - 1).bit_length()
        vector = lanes * ITEM_BYTES[dtype]
        most = max(1, _MOST_BYTES // (self.places * width * vector))
        self.vectors = min(-(-channels // lanes), most)
        self.block = self.vectors * self.lanes
        self.elements = width * self.block
        self.bytes = self.places * width * self.vectors * vector

    def clear(self) -> None:
        """Zeros everywhere."""
        writer = self.writer
        zero = writer.constant(element_type(self.dtype), 0.0, self.lanes)
        with writer.counted(0, self.places * self.elements // self.lanes) as i:
            at = writer.element(SCRATCH, self.dtype, writer.times(i, self.lanes))
            writer.store_element(zero, at, self.dtype, self.lanes)

    def row(self, row: Index) -> Register:
        """Where the sums of a row are."""
        place = self.writer.binary(
            "and", self.writer.index(row), self.writer.index(self.places - 1)
        )
        return self.writer.element(SCRATCH, self.dtype, self.writer.times(place, self.elements))

    def offset(self, column: Index, channel: Index) -> Index:
        """Elements from there to a column and channel."""
        return self.writer.add(self.writer.times(column, self.block), channel)
