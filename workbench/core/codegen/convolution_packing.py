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
    dtype: str

    def pitch(self, target: Target) -> int:
        """From one channel to the next: whole vectors."""
        lanes = target.lanes(self.dtype)
        return -(-self.filters // lanes) * lanes

    def size(self, target: Target) -> int:
        """Bytes of the bank."""
        rows = self.rows.count * self.columns.count * self.depth
        return rows * self.pitch(target) * ITEM_BYTES[self.dtype]

    def bank(self, target: Target, offset: int) -> Bank:
        """The bank at an offset of the work space."""
        pitch = self.pitch(target)
        column = self.depth * pitch
        strides = (self.columns.count * column, column, pitch, 1)
        return Bank(Argument("workspace", offset), strides, True)


def packing_call(packing: Packing, target: Target, offset: int) -> Call:
    """The call that writes the bank; its units are the taps."""
    writer = KernelWriter(target)
    dtype, lanes = packing.dtype, target.lanes(packing.dtype)
    source = writer.address(packing.source)
    bank = writer.address(Argument("workspace", offset))
    pitch = packing.pitch(target)
    by_row, by_column, by_channel, by_filter = packing.strides
    with writer.counted(BEGIN, END) as unit:
        row, column = writer.divided(unit, packing.columns.count)
        tap_row = writer.add(writer.times(row, packing.rows.step), packing.rows.first)
        tap_column = writer.add(writer.times(column, packing.columns.step), packing.columns.first)
        tap = writer.add(writer.times(tap_row, by_row), writer.times(tap_column, by_column))
        tap_source = writer.element(source, dtype, tap)
        tap_bank = writer.element(bank, dtype, writer.times(unit, packing.depth * pitch))
        with writer.counted(0, packing.depth) as channel:
            here = writer.element(tap_source, dtype, writer.times(channel, by_channel))
            there = writer.element(tap_bank, dtype, writer.times(channel, pitch))

            def move(first: Index, mask: Register | None) -> None:
                at = writer.element(here, dtype, writer.times(first, by_filter))
                if by_filter == 1:
                    values = writer.load_element(at, dtype, lanes, mask)
                else:
                    values = gathered(writer, at, dtype, by_filter, lanes, mask)
                writer.store_element(values, writer.element(there, dtype, first), dtype, lanes)

            for_vectors(writer, packing.filters, lanes, move)
    units = packing.rows.count * packing.columns.count
    chunk = max(1, _CHUNK // max(1, packing.depth * pitch))
    return Call(writer.code("filter"), tuple(writer.arguments), units, chunk)


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
