"""Elements of operands along a line: next to each other, the same for all, or some way apart."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.codegen.emitter import Emitter, Register, memory_type, suffix, vector_type
from workbench.core.codegen.loop_frame import integer, plus, times
from workbench.core.codegen.specs import Operand
from workbench.core.codegen.target import CACHE_LINE, ITEM_BYTES

#: How far ahead elements are asked for. The processor looks ahead by itself, but not beyond a page,
#: and not far enough where another processor has written them.
_AHEAD_BYTES = 2048


class Line:
    """The operands of a kernel along one line: where each starts, and its stride.

    A stride of 1 is a vector in memory, 0 one element for all lanes, any other a gather or scatter.
    """

    def __init__(
        self,
        emitter: Emitter,
        dtypes: Sequence[str],
        pointers: Sequence[Register],
        strides: Sequence[int],
    ) -> None:
        self._emitter = emitter
        self.dtypes = dtypes
        self.pointers = pointers
        self.strides = strides

    def load(
        self, number: int, index: Register | int, lanes: int, mask: Register | None = None
    ) -> Register:
        """The elements of an operand from an index of the line on."""
        emitter, dtype, stride = self._emitter, self.dtypes[number], self.strides[number]
        pointer = self._address(number, index)
        if stride == 0:
            return emitter.splat(emitter.load_element(pointer, dtype, 1), lanes)
        if stride == 1 or lanes == 1:
            return emitter.load_element(pointer, dtype, lanes, mask)
        addresses = self._addresses(pointer, dtype, stride, lanes)
        mask = mask or emitter.constant("i1", True, lanes)
        return load_scattered(emitter, addresses, dtype, lanes, mask)

    def store(
        self,
        number: int,
        value: Register,
        index: Register | int,
        lanes: int,
        mask: Register | None = None,
    ) -> None:
        """Stores to the elements of an operand from an index of the line on.

        Where all lanes share the element it gets what the first one has.
        """
        emitter, dtype, stride = self._emitter, self.dtypes[number], self.strides[number]
        pointer = self._address(number, index)
        if stride == 0 and lanes > 1:
            value = emitter.emit(
                vector_type(value.type[1:-1].split(" x ")[1], 1), f"extractelement {value}, i64 0"
            )
            emitter.store_element(value, pointer, dtype, 1)
        elif stride == 1 or lanes == 1:
            emitter.store_element(value, pointer, dtype, lanes, mask)
        else:
            raw = emitter.to_memory(value, dtype, lanes)
            addresses = self._addresses(pointer, dtype, stride, lanes)
            name = f"@llvm.masked.scatter.{suffix(raw.type)}.{suffix(addresses.type)}"
            kept = mask or emitter.constant("i1", True, lanes)
            emitter.declarations.add(
                f"declare void {name}({raw.type}, {addresses.type}, i32, {kept.type})"
            )
            emitter.line(f"call void {name}({raw}, {addresses}, i32 {ITEM_BYTES[dtype]}, {kept})")

    def prefetch(self, number: int, index: Register | int, count: int, to_write: bool) -> None:
        """Asks for what so many elements of an operand are further on, where its stride is 1."""
        item = ITEM_BYTES[self.dtypes[number]]
        pointer = self._address(number, index)
        for start in range(0, count * item, CACHE_LINE):
            place = self._emitter.offset(pointer, "i8", _AHEAD_BYTES + start)
            self._emitter.prefetch(place, to_write)

    def _address(self, number: int, index: Register | int) -> Register:
        where = times(self._emitter, index, self.strides[number])
        return self._emitter.offset(self.pointers[number], memory_type(self.dtypes[number]), where)

    def _addresses(self, pointer: Register, dtype: str, stride: int, lanes: int) -> Register:
        steps = self._emitter.constants("i64", [stride * lane for lane in range(lanes)])
        kind = vector_type("ptr", lanes)
        return self._emitter.emit(kind, f"getelementptr {memory_type(dtype)}, {pointer}, {steps}")


def load_scattered(
    emitter: Emitter, addresses: Register, dtype: str, lanes: int, mask: Register
) -> Register:
    """The elements at a vector of addresses; masked-out lanes are zero."""
    kind = vector_type(memory_type(dtype), lanes)
    raw = emitter.call(
        f"@llvm.masked.gather.{suffix(kind)}.{suffix(addresses.type)}",
        kind,
        addresses,
        Register(str(ITEM_BYTES[dtype]), "i32"),
        mask,
        Register("zeroinitializer", kind),
    )
    return emitter.from_memory(raw, dtype, lanes)


def line_pointers(
    emitter: Emitter,
    operands: Sequence[Operand],
    pointers: Sequence[Register],
    indices: Sequence[tuple[int, Register]],
) -> list[Register]:
    """Where the operands are at some indices, each of a dimension."""
    offsets: dict[tuple[int, ...], Register | int] = {}
    found = []
    for operand, pointer in zip(operands, pointers, strict=True):
        strides = tuple(operand.strides[dimension] for dimension, _ in indices)
        if strides not in offsets:
            total: Register | int = 0
            for stride, (_, index) in zip(strides, indices, strict=True):
                total = plus(emitter, total, times(emitter, index, stride))
            offsets[strides] = total
        found.append(emitter.offset(pointer, memory_type(operand.dtype), offsets[strides]))
    return found


def lane_numbers(emitter: Emitter, lanes: int, first: Register | int = 0) -> Register:
    """The index of each lane, the first of which is given, as int64."""
    if isinstance(first, int):
        if lanes == 1:
            return integer(first)
        return emitter.constants("i64", range(first, first + lanes))
    if lanes == 1:
        return first
    numbers = emitter.constants("i64", range(lanes))
    return emitter.binary("add", emitter.splat(first, lanes), numbers)


def first_lanes(emitter: Emitter, count: Register | int, lanes: int) -> Register | None:
    """A mask of that many lanes at most; None for all of them where that is known."""
    if isinstance(count, int):
        if count >= lanes:
            return None
        return emitter.constants("i1", [lane < count for lane in range(lanes)])
    # 32-bit lanes are compared; more than enough is cut off so that it fits.
    cut = emitter.intrinsic("smin", "i64", count, integer(lanes))
    short = emitter.splat(emitter.convert("trunc", cut, "i32"), lanes)
    return emitter.compare("slt", emitter.constants("i32", range(lanes)), short)
