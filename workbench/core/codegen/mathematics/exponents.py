"""Numbers taken apart into a fraction and a power of two, and put together again.

AVX-512 has instructions for it, which treat denormals, zeros and infinities rightly; elsewhere the
same is done on the bits. Both ways give the same numbers, so it does not show where code ran.
"""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Register, vector_type
from workbench.core.codegen.mathematics.arithmetic import Floats

#: Rounding as the processor is set to round.
_CURRENT_ROUNDING = Register("4", "i32")
#: Fractions from 3/4 to 3/2; NaN for negative numbers, but not for -0.
_FRACTION = Register("15", "i32")
#: The smaller size, with the sign of the first operand.
_SMALLER_SIZE = Register("2", "i32")


def has_instructions(floats: Floats) -> bool:
    """Whether the vectors are whole AVX-512 registers."""
    target = floats.emitter.target
    if target is None or target.name != "avx512":
        return False
    return floats.lanes * floats.width % (8 * target.vector_bytes) == 0


def scaled(floats: Floats, value: Register, places: Register) -> Register:
    """`value * 2**places` for a whole number of places, rounded once.

    Without AVX-512 the places must be from -2 to 1 times the exponent's bias, and the value normal.
    """
    if has_instructions(floats):
        return _by_registers(floats, "scalef", [value, places])
    offset = 2 * floats.exponent_bias
    magic = 1.5 * 2.0**floats.fraction
    # The sum has the whole number in its low bits; then two factors, the first product is exact.
    bits = floats.bits(floats.add(places, magic + offset))
    total = floats.integers("and", bits, (1 << (floats.fraction - 2)) - 1)
    half = floats.integers("lshr", total, 1)
    rest = floats.integers("sub", total, half)
    once = floats.multiply(value, _power(floats, half))
    return floats.multiply(once, _power(floats, rest))


def _power(floats: Floats, biased: Register) -> Register:
    return floats.from_bits(floats.integers("shl", biased, floats.fraction))


def power_of_two(floats: Floats, places: Register, more: int = 0) -> Register:
    """`2**(places + more)` for a whole number of places, where that is a normal number."""
    magic = 1.5 * 2.0**floats.fraction
    # The sum has the biased exponent in its low bits, and the shift drops the others.
    return _power(floats, floats.bits(floats.add(places, magic + floats.exponent_bias + more)))


def within(floats: Floats, value: Register, bound: float) -> Register:
    """The value cut to a size. An infinity or NaN becomes some number with AVX-512."""
    if has_instructions(floats):
        return _by_registers(floats, "range", [value, floats.value(bound)], _SMALLER_SIZE)
    return floats.at_most(bound, floats.at_least(-bound, value))


def taken_apart(floats: Floats, x: Register) -> tuple[Register, Register]:
    """A fraction from 3/4 to 3/2 and a whole number, so that `x = fraction * 2**number`.

    The number is -inf for 0 and inf for inf, and then the fraction is finite; of less than 0 and
    of NaN the fraction is NaN.
    """
    if has_instructions(floats):
        fraction = _by_registers(floats, "getmant", [x], _FRACTION)
        exponent = _by_registers(floats, "getexp", [x])
        return fraction, floats.subtract(exponent, _by_registers(floats, "getexp", [fraction]))
    least = 2.0 ** (1 - floats.exponent_bias)
    small = floats.compare("olt", x, least)
    normal = floats.select(small, floats.multiply(x, 2.0**floats.fraction), x)
    bits = floats.bits(normal)
    three_quarters = (floats.exponent_bias << floats.fraction) - (1 << (floats.fraction - 1))
    raised = floats.integers("sub", bits, three_quarters)
    exponent = floats.integers("ashr", raised, floats.fraction)
    shifted = floats.integers("shl", exponent, floats.fraction)
    fraction = floats.from_bits(floats.integers("sub", bits, shifted))
    number = floats.emitter.convert("sitofp", exponent, floats.type)
    number = floats.select(small, floats.subtract(number, float(floats.fraction)), number)
    number = floats.select(floats.compare("oeq", x, math.inf), math.inf, number)
    number = floats.select(floats.compare("oeq", x, 0.0), -math.inf, number)
    # Not less than 0, to be true of NaN as well.
    return floats.select(floats.compare("oge", x, 0.0), fraction, math.nan), number


def _by_registers(
    floats: Floats, name: str, values: list[Register], immediate: Register | None = None
) -> Register:
    """An AVX-512 instruction, register by register."""
    each = 512 // floats.width
    kind = vector_type(floats.element, each)
    mask = Register("-1", f"i{each}")
    parts: list[Register] = []
    for start in range(0, floats.lanes, each):
        operands = [_part(floats, value, start, each, kind) for value in values]
        if immediate is not None:
            operands.append(immediate)
        operands += [Register("zeroinitializer", kind), mask, _CURRENT_ROUNDING]
        letter = "s" if floats.is_single else "d"
        parts.append(
            floats.emitter.call(f"@llvm.x86.avx512.mask.{name}.p{letter}.512", kind, *operands)
        )
    while len(parts) > 1:
        parts = [_joined(floats, *parts[i : i + 2]) for i in range(0, len(parts), 2)]
    return parts[0]


def _part(floats: Floats, value: Register, start: int, each: int, kind: str) -> Register:
    if floats.lanes == each:
        return value
    places = ", ".join(f"i32 {start + i}" for i in range(each))
    text = f"shufflevector {value}, {value.type} poison, <{each} x i32> <{places}>"
    return floats.emitter.emit(kind, text)


def _joined(floats: Floats, *parts: Register) -> Register:
    if len(parts) == 1:
        return parts[0]
    first, second = parts
    lanes = 2 * int(first.type[1:].split(" ", 1)[0])
    places = ", ".join(f"i32 {i}" for i in range(lanes))
    text = f"shufflevector {first}, {second}, <{lanes} x i32> <{places}>"
    return floats.emitter.emit(vector_type(floats.element, lanes), text)
