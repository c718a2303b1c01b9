"""Functions of integers, as NumPy has them: they wrap around."""

from __future__ import annotations

from workbench.core.codegen.emitter import Emitter, Register, element_type, vector_type
from workbench.core.codegen.mathematics.casts import is_signed
from workbench.core.codegen.target import ITEM_BYTES


class Integers:
    """Instructions on vectors of an integer dtype."""

    def __init__(self, emitter: Emitter, dtype: str, lanes: int) -> None:
        self.emitter = emitter
        self.lanes = lanes
        self.is_signed = is_signed(dtype)
        self.element = element_type(dtype)
        self.width = 8 * ITEM_BYTES[dtype]
        self.type = vector_type(self.element, lanes)

    def constant(self, value: int) -> Register:
        return self.emitter.constant(self.element, value, self.lanes)

    def binary(self, operation: str, a: Register, b: Register) -> Register:
        return self.emitter.binary(operation, a, b)

    def compare(self, predicate: str, a: Register, b: Register) -> Register:
        """`icmp`: `lt` and the like by the sign of the dtype, `eq`, `ne`."""
        if predicate not in ("eq", "ne"):
            predicate = ("s" if self.is_signed else "u") + predicate
        return self.emitter.compare(predicate, a, b)

    def least(self) -> int:
        """The least number."""
        return -(1 << (self.width - 1)) if self.is_signed else 0


def add(integers: Integers, a: Register, b: Register) -> Register:
    return integers.binary("add", a, b)


def subtract(integers: Integers, a: Register, b: Register) -> Register:
    return integers.binary("sub", a, b)


def multiply(integers: Integers, a: Register, b: Register) -> Register:
    return integers.binary("mul", a, b)


def square(integers: Integers, x: Register) -> Register:
    return integers.binary("mul", x, x)


def negative(integers: Integers, x: Register) -> Register:
    return integers.binary("sub", integers.constant(0), x)


def absolute(integers: Integers, x: Register) -> Register:
    """The size; the least number has none and stays itself."""
    if not integers.is_signed:
        return x
    return integers.emitter.intrinsic("smax", integers.type, x, negative(integers, x))


def sign(integers: Integers, x: Register) -> Register:
    """-1, 0 or 1."""
    one = integers.constant(1)
    if not integers.is_signed:
        return integers.emitter.intrinsic("umin", integers.type, x, one)
    below = integers.emitter.intrinsic("smin", integers.type, x, one)
    return integers.emitter.intrinsic("smax", integers.type, below, integers.constant(-1))


def maximum(integers: Integers, a: Register, b: Register) -> Register:
    name = "smax" if integers.is_signed else "umax"
    return integers.emitter.intrinsic(name, integers.type, a, b)


def minimum(integers: Integers, a: Register, b: Register) -> Register:
    name = "smin" if integers.is_signed else "umin"
    return integers.emitter.intrinsic(name, integers.type, a, b)


def same(integers: Integers, x: Register) -> Register:
    """Rounding: an integer is whole already."""
    return x


def bitwise_and(integers: Integers, a: Register, b: Register) -> Register:
    return integers.binary("and", a, b)


def bitwise_or(integers: Integers, a: Register, b: Register) -> Register:
    return integers.binary("or", a, b)


def bitwise_xor(integers: Integers, a: Register, b: Register) -> Register:
    return integers.binary("xor", a, b)


def invert(integers: Integers, x: Register) -> Register:
    return integers.binary("xor", x, integers.constant(-1))


def left_shift(integers: Integers, x: Register, places: Register) -> Register:
    """Zeros where all bits are shifted out."""
    return _shifted(integers, "shl", x, places, integers.constant(0))


def right_shift(integers: Integers, x: Register, places: Register) -> Register:
    """The sign fills up; nothing but the sign is left where all bits are shifted out."""
    if not integers.is_signed:
        return _shifted(integers, "lshr", x, places, integers.constant(0))
    all_signs = integers.binary("ashr", x, integers.constant(integers.width - 1))
    return _shifted(integers, "ashr", x, places, all_signs)


def _shifted(
    integers: Integers, operation: str, x: Register, places: Register, beyond: Register
) -> Register:
    fits = integers.emitter.compare("ult", places, integers.constant(integers.width))
    return integers.emitter.select(fits, integers.binary(operation, x, places), beyond)
