"""Arithmetic on registers of one element type, spelt shortly: what the functions are written in."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.codegen.emitter import Emitter, Register, vector_type

#: A register, or a number that stands for itself in all lanes.
Value = Register | float


class Floats:
    """Instructions on vectors of float or double, and on the integers of their bits.

    >>> floats = Floats(Emitter(), "float", 4)
    >>> print(floats.add(Register("%x", "<4 x float>"), 1.0).type)
    <4 x float>
    """

    def __init__(
        self, emitter: Emitter, element: str, lanes: int, precision: str | None = None
    ) -> None:
        self.emitter = emitter
        self.element = element
        #: Which coefficients to take: "float", "double", or "wide" for doubles whose results are
        #: going to be rounded to float.
        self.precision = precision or element
        self.lanes = lanes
        self.type = vector_type(element, lanes)
        self.is_single = element == "float"
        #: Bits of a number, and of its fraction.
        self.width, self.fraction = (32, 23) if self.is_single else (64, 52)
        self.exponent_bias = 127 if self.is_single else 1023
        self.integer = f"i{self.width}"
        self.integer_type = vector_type(self.integer, lanes)

    # -- numbers -----------------------------------------------------------------------------

    def value(self, value: Value) -> Register:
        """A number as a register."""
        if isinstance(value, Register):
            return value
        return self.emitter.constant(self.element, value, self.lanes)

    def whole(self, value: Register | int) -> Register:
        """An integer of the width of the numbers as a register."""
        if isinstance(value, Register):
            return value
        return self.emitter.constant(self.integer, value, self.lanes)

    # -- arithmetic --------------------------------------------------------------------------

    def _binary(self, operation: str, a: Value, b: Value) -> Register:
        return self.emitter.binary(operation, self.value(a), self.value(b))

    def add(self, a: Value, b: Value) -> Register:
        return self._binary("fadd", a, b)

    def subtract(self, a: Value, b: Value) -> Register:
        return self._binary("fsub", a, b)

    def multiply(self, a: Value, b: Value) -> Register:
        return self._binary("fmul", a, b)

    def divide(self, a: Value, b: Value) -> Register:
        return self._binary("fdiv", a, b)

    def negative(self, a: Register) -> Register:
        return self.emitter.emit(self.type, f"fneg {a}")

    def call(self, intrinsic: str, *arguments: Value) -> Register:
        """`llvm.<intrinsic>` of numbers."""
        return self.emitter.intrinsic(intrinsic, self.type, *map(self.value, arguments))

    def fma(self, a: Value, b: Value, c: Value) -> Register:
        """`a * b + c`, rounded once."""
        return self.call("fma", a, b, c)

    def polynomial(self, x: Register, coefficients: Sequence[float]) -> Register:
        """`coefficients[0] + coefficients[1] * x + ...` by Horner's rule."""
        result: Value = coefficients[-1]
        for coefficient in coefficients[-2::-1]:
            result = self.fma(result, x, coefficient)
        return self.value(result)

    def short_polynomial(
        self, x: Register, square: Register, coefficients: Sequence[float]
    ) -> Register:
        """The same where `x * x` is there: no more instructions, and half as many in a row."""
        even = self.polynomial(square, coefficients[::2])
        return self.fma(self.polynomial(square, coefficients[1::2]), x, even)

    def absolute(self, a: Register) -> Register:
        return self.call("fabs", a)

    def with_sign_of(self, a: Value, sign: Register) -> Register:
        """The size of `a` with the sign of another number."""
        return self.call("copysign", a, sign)

    def wide(self) -> Floats:
        """The same lanes as doubles, for results that are going to be rounded to float."""
        return Floats(self.emitter, "double", self.lanes, "wide")

    # -- choice ------------------------------------------------------------------------------

    def compare(self, predicate: str, a: Value, b: Value) -> Register:
        """`fcmp`: the predicates with `o` are false for NaN, those with `u` true."""
        return self.emitter.compare(predicate, self.value(a), self.value(b))

    def select(self, condition: Register, a: Value, b: Value) -> Register:
        return self.emitter.select(condition, self.value(a), self.value(b))

    def at_least(self, bound: Value, a: Register) -> Register:
        """`a`, or the bound where it is less; a NaN stays one (one instruction on x86)."""
        return self.select(self.compare("ogt", bound, a), bound, a)

    def at_most(self, bound: Value, a: Register) -> Register:
        """`a`, or the bound where it is greater; a NaN stays one (one instruction on x86)."""
        return self.select(self.compare("olt", bound, a), bound, a)

    # -- bits --------------------------------------------------------------------------------

    def bits(self, a: Register) -> Register:
        """The integer of the bits."""
        return self.emitter.convert("bitcast", a, self.integer_type)

    def from_bits(self, a: Register) -> Register:
        """The number of the bits."""
        return self.emitter.convert("bitcast", a, self.type)

    def integers(self, operation: str, a: Register | int, b: Register | int) -> Register:
        """`add`, `and`, `shl` and the like of integers."""
        return self.emitter.binary(operation, self.whole(a), self.whole(b))
