"""Filters brought into the order in which a correlation reads them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.codegen.convolution_geometry import Bank
from workbench.core.codegen.convolution_writer import (
    BEGIN,
    END,
    Index,
    KernelWriter,
    for_vectors,
)
from workbench.core.codegen.emitter import Register, element_type, suffix, vector_type
from workbench.core.codegen.specs import Argument, Call
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Elements of a chunk of work at least.
_CHUNK = 1 << 14


@dataclass(frozen=True)
class Taps:
    """Some taps of a window along one axis: `first`, `first + step` and so on."""

    first: int
    step: int
    count: int


@dataclass(frozen=True)
class Packing:
    """Which elements of a filter stand in the bank; strides are (row, column, depth, filter)."""

    source: Argument
    strides: tuple[int, int, int, int]
    rows: Taps
    columns: Taps
    depth: int
    filters: int
    #: Filters of a tile: whole vectors.
    width: int
    dtype: str

    @property
    def blocks(self) -> int:
        """How many tiles the filters make."""
        return -(-self.filters // self.width)

    @property
    def taps(self) -> int:
        """How many taps of the window there are."""
        return self.rows.count * self.columns.count

    @property
    def size(self) -> int:
        """Bytes of the bank."""
        return self.blocks * self.taps * self.depth * self.width * ITEM_BYTES[self.dtype]

    def bank(self, offset: int) -> Bank:
        """The bank at an offset of the work space: [block][row][column][depth][filter]."""
        column = self.depth * self.width
        strides = (self.columns.count * column, column, self.width)
        return Bank(Argument("workspace", offset), strides, self.taps * column, True)


def packing_call(packing: Packing, target: Target, offset: int) -> Call:
    """The call that writes the bank; its units are the taps of each block."""
    writer = KernelWriter(target)
    dtype, width = packing.dtype, packing.width
    source = writer.address(packing.source)
    bank = writer.address(Argument("workspace", offset))
    by_row, by_column, by_channel, by_filter = packing.strides
    full, rest = divmod(packing.filters, width)
    with writer.counted(BEGIN, END) as unit:
        block, tap = map(writer.index, writer.divided(unit, packing.taps))
        row, column = writer.divided(tap, packing.columns.count)
        tap_row = writer.add(writer.times(row, packing.rows.step), packing.rows.first)
        tap_column = writer.add(writer.times(column, packing.columns.step), packing.columns.first)
        start = writer.add(writer.times(tap_row, by_row), writer.times(tap_column, by_column))
        start = writer.add(start, writer.times(block, width * by_filter))
        here = writer.element(source, dtype, start)
        there = writer.element(bank, dtype, writer.times(unit, packing.depth * width))
        if full and rest:
            with writer.conditional(writer.compare("slt", block, writer.index(full))):
                _block(writer, packing, target, here, there, width)
            with writer.conditional(writer.compare("eq", block, writer.index(full))):
                _block(writer, packing, target, here, there, rest)
        else:
            _block(writer, packing, target, here, there, rest or width)
    chunk = max(1, _CHUNK // max(1, packing.depth * width))
    units = packing.blocks * packing.taps
    return Call(writer.code("filter"), tuple(writer.arguments), units, chunk)


def _block(
    writer: KernelWriter,
    packing: Packing,
    target: Target,
    source: Register,
    bank: Register,
    filters: int,
) -> None:
    """One tap of so many filters, which may be fewer than the bank has room for."""
    dtype, lanes = packing.dtype, target.lanes(packing.dtype)
    _, _, by_channel, by_filter = packing.strides
    with writer.counted(0, packing.depth) as channel:
        here = writer.element(source, dtype, writer.times(channel, by_channel))
        there = writer.element(bank, dtype, writer.times(channel, packing.width))

        def move(first: Index, mask: Register | None) -> None:
            at = writer.element(here, dtype, writer.times(first, by_filter))
            if by_filter == 1:
                values = writer.load_element(at, dtype, lanes, mask)
            else:
                values = gathered(writer, at, dtype, by_filter, lanes, mask)
            writer.store_element(values, writer.element(there, dtype, first), dtype, lanes)

        for_vectors(writer, filters, lanes, move)


def gathered(
    writer: KernelWriter,
    pointer: Register,
    dtype: str,
    stride: int,
    lanes: int,
    mask: Register | None,
) -> Register:
    """Elements `stride` apart; masked-out lanes are zero."""
    element = element_type(dtype)
    kind, places = vector_type(element, lanes), f"<{lanes} x ptr>"
    steps = writer.constants("i64", [lane * stride for lane in range(lanes)])
    at = writer.emit(places, f"getelementptr {element}, {pointer}, {steps}")
    every = mask or writer.constant("i1", True, lanes)
    name = f"@llvm.masked.gather.{suffix(kind)}.v{lanes}p0"
    writer.declarations.add(f"declare {kind} {name}({places}, i32, {every.type}, {kind})")
    align = ITEM_BYTES[dtype]
    return writer.emit(
        kind, f"call {kind} {name}({at}, i32 {align}, {every}, {kind} zeroinitializer)"
    )
