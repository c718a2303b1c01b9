"""Quotients and remainders of integers, and their powers.

The interpreter's kernels fail where a divisor is 0 or an exponent negative: a plan has to check
that, with the step `check`. Here a quotient or remainder by 0 is 0, as in NumPy, and nothing traps.
"""

from __future__ import annotations

from workbench.core.codegen.emitter import Register, vector_type
from workbench.core.codegen.mathematics.integers import Integers


def truncate_divide(integers: Integers, a: Register, b: Register) -> Register:
    """The quotient, rounded towards 0."""
    return _quotient(integers, a, b)[0]


def truncate_mod(integers: Integers, a: Register, b: Register) -> Register:
    """The remainder with the sign of `a`."""
    return _quotient(integers, a, b)[1]


def floor_divide(integers: Integers, a: Register, b: Register) -> Register:
    """The quotient, rounded down."""
    quotient, rest = _quotient(integers, a, b)
    if not integers.is_signed:
        return quotient
    inexact = _differs(integers, rest, b)
    less = integers.emitter.convert("sext", inexact, integers.type)
    return integers.binary("add", quotient, less)


def remainder(integers: Integers, a: Register, b: Register) -> Register:
    """The remainder with the sign of `b`."""
    rest = _quotient(integers, a, b)[1]
    if not integers.is_signed:
        return rest
    moved = integers.binary("add", rest, b)
    return integers.emitter.select(_differs(integers, rest, b), moved, rest)


def reciprocal(integers: Integers, x: Register) -> Register:
    """1 / x: 1 and -1 have one, all else gives 0."""
    return truncate_divide(integers, integers.constant(1), x)


def _differs(integers: Integers, rest: Register, b: Register) -> Register:
    """Whether there is a rest, with another sign than the divisor's."""
    exclusive = integers.binary("xor", rest, b)
    differs = integers.compare("lt", exclusive, integers.constant(0))
    some = integers.compare("ne", rest, integers.constant(0))
    return integers.emitter.binary("and", differs, some)


def _quotient(integers: Integers, a: Register, b: Register) -> tuple[Register, Register]:
    emitter = integers.emitter
    zero = integers.compare("eq", b, integers.constant(0))
    safe = emitter.select(zero, integers.constant(1), b)
    if integers.width < 64:
        quotient = _by_floats(integers, a, safe)
    else:
        quotient = _by_integers(integers, a, safe)
    rest = integers.binary("sub", a, integers.binary("mul", quotient, safe))
    nothing = integers.constant(0)
    return emitter.select(zero, nothing, quotient), emitter.select(zero, nothing, rest)


def _by_floats(integers: Integers, a: Register, b: Register) -> Register:
    # A quotient that is not whole is further from a whole number than rounding brings it.
    emitter = integers.emitter
    kind = vector_type("double" if integers.width > 16 else "float", integers.lanes)
    # One bit more than the dtype has, where its least number over -1 fits; it wraps around.
    wide = vector_type("i64" if integers.width > 16 else "i32", integers.lanes)
    source = "sitofp" if integers.is_signed else "uitofp"
    above, below = (emitter.convert(source, value, kind) for value in (a, b))
    quotient = emitter.binary("fdiv", above, below)
    return emitter.convert("trunc", emitter.convert("fptosi", quotient, wide), integers.type)


def _by_integers(integers: Integers, a: Register, b: Register) -> Register:
    # Vectors of 64 bits have no division: this is done one by one, and must not trap.
    if not integers.is_signed:
        return integers.binary("udiv", a, b)
    emitter = integers.emitter
    backwards = integers.compare("eq", b, integers.constant(-1))
    divisor = emitter.select(backwards, integers.constant(1), b)
    quotient = integers.binary("sdiv", a, divisor)
    negative = integers.binary("sub", integers.constant(0), a)
    return emitter.select(backwards, negative, quotient)


def power(integers: Integers, x: Register, exponent: Register) -> Register:
    """x multiplied with itself, wrapping around; by squares, bit by bit of the exponent."""
    emitter = integers.emitter
    one, nothing = integers.constant(1), integers.constant(0)
    result = one
    bits = integers.width - 1 if integers.is_signed else integers.width
    for place in range(bits):
        bit = integers.binary("and", exponent, integers.constant(1 << place))
        factor = emitter.select(integers.compare("ne", bit, nothing), x, one)
        result = integers.binary("mul", result, factor)
        if place < bits - 1:
            x = integers.binary("mul", x, x)
    return result
