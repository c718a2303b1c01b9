"""Powers of floats, with all the special cases of IEEE 754."""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.exponential import exp, exp_of_sum
from workbench.core.codegen.mathematics.exponents import taken_apart
from workbench.core.codegen.mathematics.logarithm import log

# log(m) = 2 * s + 2/3 * s^3 + s^5 * R(s^2) with s = (m - 1) / (m + 1), fitted to 2e-21.
_POLYNOMIAL = (
    0.3999999999999972,
    0.2857142857157998,
    0.22222222190766178,
    0.18181821570027507,
    0.1538440441398154,
    0.13341208555268577,
    0.1159138985511095,
    0.12577433571007102,
)
_TWO_THIRDS = (2 / 3, 3.700743415417188e-17)
_LOG2 = (0.6931471805599453, 2.3190468138462996e-17)
#: What exponents are cut to: more makes no difference to any number but 1.
_GREATEST = 2.0**64


def power(floats: Floats, x: Register, y: Register) -> Register:
    """x to the power of y: NaN for fractional powers of negative numbers."""
    size = floats.absolute(x)
    if floats.is_single:
        value = _of_singles(floats, size, y)
    else:
        value = _accurate(floats, size, y)
    # 1, and -1 to an infinite power, where a product of 0 and infinity had no value.
    is_number = floats.compare("ord", y, y)
    value = _where(floats, [floats.compare("oeq", size, 1.0), is_number], 1.0, value)
    rounded = floats.call("rint", y)
    is_whole = floats.compare("oeq", rounded, y)
    half = floats.multiply(y, 0.5)
    is_odd = floats.emitter.binary(
        "and", is_whole, floats.compare("one", floats.call("rint", half), half)
    )
    is_odd = floats.emitter.binary(
        "and", is_odd, floats.compare("olt", floats.absolute(y), math.inf)
    )
    value = floats.select(is_odd, floats.with_sign_of(value, x), value)
    negative = floats.compare("olt", x, 0.0)
    finite = floats.compare("olt", size, math.inf)
    fractional = floats.compare("one", rounded, y)
    value = _where(floats, [negative, finite, fractional], math.nan, value)
    always_one = floats.emitter.binary(
        "or", floats.compare("oeq", x, 1.0), floats.compare("oeq", y, 0.0)
    )
    return floats.select(always_one, 1.0, value)


def _where(
    floats: Floats, conditions: list[Register], chosen: float, otherwise: Register
) -> Register:
    """`chosen` where all conditions hold."""
    together = conditions[0]
    for condition in conditions[1:]:
        together = floats.emitter.binary("and", together, condition)
    return floats.select(together, chosen, otherwise)


def _of_singles(floats: Floats, size: Register, y: Register) -> Register:
    """`size ** y` in doubles, whose logarithm is good enough as it is."""
    wide = floats.wide()
    size, y = (floats.emitter.convert("fpext", value, wide.type) for value in (size, y))
    value = exp(wide, wide.multiply(y, log(wide, size)))
    return floats.emitter.convert("fptrunc", value, floats.type)


def _accurate(floats: Floats, size: Register, y: Register) -> Register:
    """`size ** y` by a logarithm of two parts, whose errors large exponents magnify."""
    high, low = _logarithm(floats, size)
    y = floats.at_most(_GREATEST, floats.at_least(-_GREATEST, y))
    product = floats.multiply(high, y)
    error = floats.fma(low, y, floats.fma(high, y, floats.negative(product)))
    # Infinities and what leads to them need no correction, and have none that is a number.
    moderate = floats.compare("olt", floats.absolute(product), 1000.0)
    return exp_of_sum(floats, product, floats.select(moderate, error, 0.0))


def _logarithm(floats: Floats, x: Register) -> tuple[Register, Register]:
    """The logarithm of a number in two parts, of which the first is infinite for 0 and infinity."""
    fraction, places = taken_apart(floats, x)
    above, below = floats.subtract(fraction, 1.0), floats.add(fraction, 1.0)
    # s in two parts; the sum `below` has lost some of 1 and the fraction.
    s = floats.divide(above, below)
    lost = floats.subtract(fraction, floats.subtract(below, 1.0))
    rest = floats.fma(floats.negative(s), below, above)
    rest = floats.fma(floats.negative(s), lost, rest)
    s_low = floats.divide(rest, below)
    # s^2 and s^3, in two parts each.
    square = floats.multiply(s, s)
    square_low = floats.fma(s, s, floats.negative(square))
    square_low = floats.fma(floats.add(s, s), s_low, square_low)
    cubic = floats.multiply(square, s)
    cubic_low = floats.fma(square, s, floats.negative(cubic))
    cubic_low = floats.fma(square, s_low, floats.fma(square_low, s, cubic_low))
    second = floats.multiply(cubic, _TWO_THIRDS[0])
    second_low = floats.fma(cubic, _TWO_THIRDS[0], floats.negative(second))
    second_low = floats.fma(cubic, _TWO_THIRDS[1], second_low)
    second_low = floats.fma(cubic_low, _TWO_THIRDS[0], second_low)
    fifth = floats.multiply(cubic, square)
    third = floats.multiply(fifth, floats.polynomial(square, _POLYNOMIAL))
    # Summed from the largest on: each sum with what it lost.
    product = floats.multiply(places, _LOG2[0])
    product_low = floats.fma(places, _LOG2[0], floats.negative(product))
    product_low = floats.fma(places, _LOG2[1], product_low)
    first = floats.add(s, s)
    total, total_lost = _sum(floats, product, first)
    high, high_lost = _sum(floats, total, second)
    low = floats.add(floats.add(s_low, s_low), second_low)
    low = floats.add(floats.add(low, third), product_low)
    low = floats.add(floats.add(total_lost, high_lost), low)
    result = floats.add(high, low)
    left = floats.add(floats.subtract(high, result), low)
    finite = floats.compare("olt", floats.absolute(places), math.inf)
    is_nan = floats.compare("uno", fraction, fraction)
    result = floats.select(is_nan, fraction, floats.select(finite, result, places))
    return result, floats.select(finite, left, 0.0)


def _sum(floats: Floats, a: Register, b: Register) -> tuple[Register, Register]:
    """A sum and what it lost in rounding, of numbers of any sizes."""
    total = floats.add(a, b)
    back = floats.subtract(total, a)
    lost = floats.add(floats.subtract(a, floats.subtract(total, back)), floats.subtract(b, back))
    return total, lost
