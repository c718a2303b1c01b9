"""Remainders and floors of quotients of floats, as NumPy has them; the remainders are exact."""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats

#: The whole part of a quotient below this times the divisor is exact with fused arithmetic.
_MODERATE = 2.0**50
_EXPONENT_BITS = 0x7FF0_0000_0000_0000


def truncate_mod(floats: Floats, a: Register, b: Register) -> Register:
    """The remainder with the sign of `a`: NaN of an infinite `a`, and where `b` is 0."""
    if not floats.is_single:
        return floats.with_sign_of(_size(floats, a, b), a)
    wide = floats.wide()
    convert = floats.emitter.convert
    rest = _size(wide, convert("fpext", a, wide.type), convert("fpext", b, wide.type))
    # LLVM would move the sign of a double in front of the rounding, and round to halves in one go.
    return floats.with_sign_of(convert("fptrunc", rest, floats.type), a)


def remainder(floats: Floats, a: Register, b: Register) -> Register:
    """The remainder with the sign of `b`."""
    rest = truncate_mod(floats, a, b)
    is_zero = floats.compare("oeq", rest, 0.0)
    moved = floats.select(_signs_differ(floats, rest, b), floats.add(rest, b), rest)
    value = floats.select(is_zero, floats.with_sign_of(0.0, b), moved)
    return floats.select(floats.compare("oeq", b, 0.0), math.nan, value)


def floor_divide(floats: Floats, a: Register, b: Register) -> Register:
    """The floor of the quotient; the quotient itself where `b` is 0."""
    rest = truncate_mod(floats, a, b)
    ratio = floats.divide(a, b)
    quotient = floats.divide(floats.subtract(a, rest), b)
    differ = floats.emitter.binary(
        "and", _signs_differ(floats, rest, b), floats.compare("une", rest, 0.0)
    )
    quotient = floats.select(differ, floats.subtract(quotient, 1.0), quotient)
    # The quotient is nearly whole: to the nearest number.
    whole = floats.call("floor", quotient)
    above = floats.compare("ogt", floats.subtract(quotient, whole), 0.5)
    whole = floats.select(above, floats.add(whole, 1.0), whole)
    is_zero = floats.compare("oeq", quotient, 0.0)
    whole = floats.select(is_zero, floats.with_sign_of(0.0, ratio), whole)
    return floats.select(floats.compare("oeq", b, 0.0), ratio, whole)


def _signs_differ(floats: Floats, rest: Register, b: Register) -> Register:
    below = [floats.compare("olt", value, 0.0) for value in (rest, b)]
    return floats.emitter.binary("xor", *below)


def _size(floats: Floats, a: Register, b: Register) -> Register:
    """The size of the remainder of doubles.

    Each round takes multiples of the divisor away, from the largest on. One round is all there is
    where no quotient is above 2^50.
    """
    emitter = floats.emitter
    size, divisor = floats.absolute(a), floats.absolute(b)
    before = emitter.block
    loop, done = emitter.new_label("reduce"), emitter.new_label("reduced")
    emitter.jump(loop)
    emitter.start_block(loop)
    left = Register(emitter.fresh(), floats.type)
    phi = len(emitter.lines)
    step = _step(floats, left, divisor)
    whole = floats.call("trunc", floats.divide(left, step))
    rest = floats.fma(floats.negative(whole), step, left)
    # The quotient may have been rounded up to a whole number.
    rest = floats.select(floats.compare("olt", rest, 0.0), floats.add(rest, step), rest)
    more = floats.compare("oge", rest, divisor)
    if floats.lanes > 1:
        more = emitter.call(f"@llvm.vector.reduce.or.v{floats.lanes}i1", "i1", more)
    emitter.lines.insert(
        phi,
        f"  {left.name} = phi {floats.type} [ {size.name}, %{before} ], [ {rest.name}, %{loop} ]",
    )
    emitter.branch(more, loop, done)
    emitter.start_block(done)
    # Nothing to take away, even from what is infinite.
    return floats.select(floats.compare("olt", size, divisor), size, rest)


def _step(floats: Floats, left: Register, divisor: Register) -> Register:
    """The divisor times the power of two that brings the quotient near 2^50, or 1."""
    quotient = floats.divide(left, divisor)
    large = floats.multiply(divisor, floats.multiply(_power_of_two(floats, quotient), 2.0**-49))
    step = floats.select(floats.compare("olt", quotient, _MODERATE), divisor, large)
    if floats.precision == "wide":
        return step
    # The quotient of a very large and a very small number is infinite.
    raised = floats.multiply(divisor, 2.0**1000)
    lowered = floats.divide(floats.multiply(left, 2.0**-120), raised)
    larger = floats.multiply(floats.multiply(raised, _power_of_two(floats, lowered)), 2.0**71)
    return floats.select(floats.compare("oeq", quotient, math.inf), larger, step)


def _power_of_two(floats: Floats, x: Register) -> Register:
    """The largest power of two up to a positive number."""
    return floats.from_bits(floats.integers("and", floats.bits(x), _EXPONENT_BITS))
