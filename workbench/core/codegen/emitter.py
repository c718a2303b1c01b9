"""Writes LLVM IR: registers are numbered, types follow from dtypes and lanes.

All lanes of a kernel go together: with 16 lanes a float32 is `<16 x float>` and a float64
`<16 x double>`, which the code generator splits into registers. One lane is a plain scalar.

In registers a bool is an i1 and a float16 or bfloat16 a float; in memory a bool is a byte and they
have two. NaN, infinities and signed zeros are kept: no instruction carries a fast-math flag.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from workbench.core.codegen.target import ITEM_BYTES, Target

#: Types of elements in registers.
_REGISTER_TYPES = {
    "float32": "float",
    "float64": "double",
    "float16": "float",
    "bfloat16": "float",
    "int64": "i64",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "uint64": "i64",
    "uint32": "i32",
    "uint16": "i16",
    "uint8": "i8",
    "bool": "i1",
}


class Register(NamedTuple):
    """A value: its name in the text (or a constant's text), and its LLVM type."""

    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


def element_type(dtype: str) -> str:
    """The LLVM type of an element in a register.

    >>> element_type("bfloat16")
    'float'
    """
    return _REGISTER_TYPES[dtype]


def memory_type(dtype: str) -> str:
    """The LLVM type of an element in memory.

    >>> memory_type("bfloat16"), memory_type("bool")
    ('i16', 'i8')
    """
    return {"bool": "i8", "float16": "half", "bfloat16": "i16"}.get(dtype) or element_type(dtype)


def vector_type(element: str, lanes: int) -> str:
    """The type of that many elements.

    >>> vector_type("float", 16), vector_type("i1", 1)
    ('<16 x float>', 'i1')
    """
    return element if lanes == 1 else f"<{lanes} x {element}>"


def suffix(type_name: str) -> str:
    """How the names of intrinsics spell a type.

    >>> suffix("<16 x float>"), suffix("i64")
    ('v16f32', 'i64')
    """
    if type_name.startswith("<"):
        lanes, _, element = type_name[1:-1].partition(" x ")
        return f"v{lanes}{suffix(element)}"
    return {"float": "f32", "double": "f64", "half": "f16", "ptr": "p0"}.get(type_name, type_name)


def literal(element: str, value: float | int | bool) -> str:
    """A number as the text of a constant of an element type.

    >>> literal("float", 0.5), literal("i32", 7), literal("i1", True)
    ('0x3FE0000000000000', '7', 'true')
    """
    if element == "float":
        value = _single(float(value))
    if element in ("float", "double"):
        return f"0x{struct.unpack('<Q', struct.pack('<d', float(value)))[0]:016X}"
    if element == "i1":
        return "true" if value else "false"
    return str(int(value))


def _single(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


class Emitter:
    """Collects the instructions of a function.

    With a target the mathematical functions may use instructions that LLVM has no portable name
    for; without one they stay with those of every processor.
    """

    def __init__(self, target: Target | None = None) -> None:
        self.target = target
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        self._count = 0
        #: The block that instructions go to: what a phi names as where it comes from.
        self.block = "entry"

    # -- text --------------------------------------------------------------------------------

    def fresh(self, prefix: str = "v") -> str:
        """A new name of a register (without type) or, for a label, of a block (without %)."""
        self._count += 1
        return f"%{prefix}{self._count}"

    def line(self, text: str) -> None:
        """An instruction without a result."""
        self.lines.append(f"  {text}")

    def emit(self, type_name: str, text: str, prefix: str = "v") -> Register:
        """An instruction with a result of that type."""
        name = self.fresh(prefix)
        self.lines.append(f"  {name} = {text}")
        return Register(name, type_name)

    def new_label(self, prefix: str) -> str:
        """A name for a block."""
        return self.fresh(prefix)[1:]

    def start_block(self, label: str) -> None:
        """The instructions that follow are of this block."""
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        """Goes to a block."""
        self.line(f"br label %{label}")

    def branch(self, condition: Register, then: str, otherwise: str) -> None:
        """Goes to one of two blocks."""
        self.line(f"br {condition}, label %{then}, label %{otherwise}")

    # -- values ------------------------------------------------------------------------------

    def constant(self, element: str, value: float | int | bool, lanes: int = 1) -> Register:
        """A constant, the same in all lanes."""
        text = literal(element, value)
        if lanes == 1:
            return Register(text, element)
        return Register(f"splat ({element} {text})", f"<{lanes} x {element}>")

    def constants(self, element: str, values: Iterable[float | int | bool]) -> Register:
        """A vector of constants."""
        listed = [f"{element} {literal(element, v)}" for v in values]
        return Register(f"<{', '.join(listed)}>", f"<{len(listed)} x {element}>")

    def splat(self, scalar: Register, lanes: int) -> Register:
        """A scalar in all lanes."""
        if lanes == 1:
            return scalar
        kind = vector_type(scalar.type, lanes)
        first = self.emit(kind, f"insertelement {kind} poison, {scalar}, i64 0")
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.emit(kind, f"shufflevector {first}, {kind} poison, {zeros}")

    def intrinsic(self, name: str, result: str, *arguments: Register) -> Register:
        """A call of `llvm.<name>`, whose overloads are spelt by its result."""
        return self.call(f"@llvm.{name}.{suffix(result)}", result, *arguments)

    def call(self, function: str, result: str, *arguments: Register) -> Register:
        """A call of a function that is declared with the types of the arguments."""
        types = ", ".join(a.type for a in arguments)
        self.declarations.add(f"declare {result} {function}({types})")
        listed = ", ".join(map(str, arguments))
        return self.emit(result, f"call {result} {function}({listed})")

    def binary(self, operation: str, a: Register, b: Register) -> Register:
        """`fadd`, `mul`, `and`, `shl` and the like of two registers of one type."""
        return self.emit(a.type, f"{operation} {a}, {b.name}")

    def compare(self, predicate: str, a: Register, b: Register) -> Register:
        """`icmp` or `fcmp` by the type of the operands; one bit for each lane."""
        is_float = "float" in a.type or "double" in a.type
        kind = "i1"
        if a.type.startswith("<"):
            kind = f"<{a.type[1:].split(' ', 1)[0]} x i1>"
        return self.emit(kind, f"{'fcmp' if is_float else 'icmp'} {predicate} {a}, {b.name}")

    def select(self, condition: Register, a: Register, b: Register) -> Register:
        """`a` where the condition holds, else `b`."""
        return self.emit(a.type, f"select {condition}, {a}, {b}")

    def convert(self, operation: str, a: Register, to: str) -> Register:
        """`bitcast`, `sext`, `fptrunc` and the like."""
        return self.emit(to, f"{operation} {a} to {to}")

    # -- memory ------------------------------------------------------------------------------

    def offset(self, pointer: Register, element: str, index: Register | int) -> Register:
        """The address of an element: `index` elements of a memory type behind a pointer."""
        where = f"i64 {index}" if isinstance(index, int) else str(index)
        if where == "i64 0":
            return pointer
        return self.emit("ptr", f"getelementptr {element}, {pointer}, {where}")

    def load(
        self, pointer: Register, type_name: str, align: int, mask: Register | None = None
    ) -> Register:
        """A scalar or vector; masked-out lanes are zero."""
        if mask is None:
            return self.emit(type_name, f"load {type_name}, {pointer}, align {align}")
        zero = Register("zeroinitializer", type_name)
        name = f"@llvm.masked.load.{suffix(type_name)}.p0"
        self.declarations.add(f"declare {type_name} {name}(ptr, i32, {mask.type}, {type_name})")
        return self.emit(
            type_name, f"call {type_name} {name}({pointer}, i32 {align}, {mask}, {zero})"
        )

    def store(
        self, value: Register, pointer: Register, align: int, mask: Register | None = None
    ) -> None:
        """Stores a scalar or vector; masked-out lanes are left alone."""
        if mask is None:
            self.line(f"store {value}, {pointer}, align {align}")
            return
        name = f"@llvm.masked.store.{suffix(value.type)}.p0"
        self.declarations.add(f"declare void {name}({value.type}, ptr, i32, {mask.type})")
        self.line(f"call void {name}({value}, {pointer}, i32 {align}, {mask})")

    def prefetch(self, pointer: Register, to_write: bool = False) -> None:
        """Asks for a cache line that will be read, or read and written, soon."""
        self.declarations.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.line(f"call void @llvm.prefetch.p0({pointer}, i32 {int(to_write)}, i32 3, i32 1)")

    def load_element(
        self, pointer: Register, dtype: str, lanes: int, mask: Register | None = None
    ) -> Register:
        """Elements of an array, as they are in registers."""
        raw = self.load(pointer, vector_type(memory_type(dtype), lanes), ITEM_BYTES[dtype], mask)
        return self.from_memory(raw, dtype, lanes)

    def store_element(
        self,
        value: Register,
        pointer: Register,
        dtype: str,
        lanes: int,
        mask: Register | None = None,
    ) -> None:
        """Stores elements in an array's own form; float16 and bfloat16 must be rounded already."""
        self.store(self.to_memory(value, dtype, lanes), pointer, ITEM_BYTES[dtype], mask)

    def from_memory(self, raw: Register, dtype: str, lanes: int) -> Register:
        """Elements as they are in registers, from how they are in memory."""
        if dtype == "bool":
            return self.compare("ne", raw, self.constant("i8", 0, lanes))
        if dtype == "float16":
            return self.convert("fpext", raw, vector_type("float", lanes))
        if dtype == "bfloat16":
            wide = self.convert("zext", raw, vector_type("i32", lanes))
            bits = self.binary("shl", wide, self.constant("i32", 16, lanes))
            return self.convert("bitcast", bits, vector_type("float", lanes))
        return raw

    def to_memory(self, value: Register, dtype: str, lanes: int) -> Register:
        """Elements as they are in memory; float16 and bfloat16 must be rounded already."""
        if dtype == "bool":
            return self.convert("zext", value, vector_type("i8", lanes))
        if dtype == "float16":
            return self.convert("fptrunc", value, vector_type("half", lanes))
        if dtype == "bfloat16":
            bits = self.convert("bitcast", value, vector_type("i32", lanes))
            high = self.binary("lshr", bits, self.constant("i32", 16, lanes))
            return self.convert("trunc", high, vector_type("i16", lanes))
        return value
