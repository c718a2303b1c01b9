"""Vectors from and to memory with any distance between their elements."""

from __future__ import annotations

from workbench.core.codegen.emitter import (
    Emitter,
    Register,
    memory_type,
    suffix,
    vector_type,
)
from workbench.core.codegen.target import ITEM_BYTES


def load_strided(
    emitter: Emitter,
    pointer: Register,
    dtype: str,
    stride: int,
    lanes: int,
    mask: Register | None = None,
) -> Register:
    """Elements of an array, `stride` elements from one lane to the next, as they are in registers.

    With stride 0 all lanes have the same element, which must be there whatever the mask is.
    """
    if stride == 0:
        return emitter.splat(emitter.load_element(pointer, dtype, 1), lanes)
    if stride == 1 or lanes == 1:
        return emitter.load_element(pointer, dtype, lanes, mask)
    kind = vector_type(memory_type(dtype), lanes)
    name = f"@llvm.masked.gather.{suffix(kind)}.v{lanes}p0"
    raw = emitter.call(
        name,
        kind,
        _places(emitter, pointer, dtype, stride, lanes),
        Register(str(ITEM_BYTES[dtype]), "i32"),
        mask or emitter.constant("i1", True, lanes),
        Register("zeroinitializer", kind),
    )
    return emitter.from_memory(raw, dtype, lanes)


def store_strided(
    emitter: Emitter,
    value: Register,
    pointer: Register,
    dtype: str,
    stride: int,
    lanes: int,
    mask: Register | None = None,
) -> None:
    """Stores elements, `stride` elements from one lane to the next."""
    if stride == 1 or lanes == 1:
        emitter.store_element(value, pointer, dtype, lanes, mask)
        return
    raw = emitter.to_memory(value, dtype, lanes)
    name = f"@llvm.masked.scatter.{suffix(raw.type)}.v{lanes}p0"
    arguments = (
        raw,
        _places(emitter, pointer, dtype, stride, lanes),
        Register(str(ITEM_BYTES[dtype]), "i32"),
        mask or emitter.constant("i1", True, lanes),
    )
    types = ", ".join(a.type for a in arguments)
    emitter.declarations.add(f"declare void {name}({types})")
    emitter.line(f"call void {name}({', '.join(map(str, arguments))})")


def lanes_below(emitter: Emitter, lanes: int, limit: Register) -> Register:
    """A mask of the lanes whose number is below a register, an i64 that may be negative."""
    numbers = emitter.constants("i32", range(lanes))
    small = emitter.intrinsic("smin", "i64", limit, Register(str(lanes), "i64"))
    return emitter.compare(
        "slt", numbers, emitter.splat(emitter.convert("trunc", small, "i32"), lanes)
    )


def _places(emitter: Emitter, pointer: Register, dtype: str, stride: int, lanes: int) -> Register:
    steps = emitter.constants("i64", [lane * stride for lane in range(lanes)])
    kind = vector_type("ptr", lanes)
    return emitter.emit(kind, f"getelementptr {memory_type(dtype)}, {pointer}, {steps}")
