"""The exponential function, `exp(x) - 1`, and the logistic function."""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.exponents import (
    has_instructions,
    power_of_two,
    scaled,
    within,
)

# exp(r) = 1 + r + r^2 * P(r) on |r| <= log(2) / 2, fitted to 3e-9, 2e-10 and 4e-18 of exp(r).
_EXP = {
    "float": (
        0.4999999403953552,
        0.16666516661643982,
        0.04166810214519501,
        0.008369166404008865,
        0.001383803435601294,
    ),
    "wide": (
        0.5,
        0.16666662693023682,
        0.04166649654507637,
        0.00833417009562254,
        0.0013932113070040941,
        0.00019447047088760883,
    ),
    "double": (
        0.5000000000000011,
        0.16666666666666194,
        0.04166666666652294,
        0.008333333333646411,
        0.0013888888946111484,
        0.0001984126915628504,
        2.4801490072125288e-05,
        2.755791527412592e-06,
        2.7631456141304253e-07,
        2.4891612780577463e-08,
    ),
}
#: The same, to 5e-10 and 4e-18 of exp(r) - 1.
_SINGLE_EXPM1 = (
    0.5,
    0.1666666567325592,
    0.04166646674275398,
    0.008333667181432247,
    0.001393513404764235,
    0.00019639465608634055,
)
EXPM1 = {
    "float": _SINGLE_EXPM1,
    "wide": _SINGLE_EXPM1,
    "double": (
        0.5000000000000001,
        0.1666666666666667,
        0.041666666666648526,
        0.008333333333328558,
        0.0013888888897402474,
        0.0001984126986586903,
        2.4801570982450382e-05,
        2.7557265565995404e-06,
        2.757096384830034e-07,
        2.5101541194387885e-08,
        1.6752315897727295e-09,
    ),
}
#: log(2) in two parts; the multiples of the first are exact with fused arithmetic.
LOG2 = {
    "float": (0.693145751953125, 1.42860682030941723212e-6),
    "double": (0.6931471803691238, 1.90821492927058770002e-10),
}
#: Beyond this the results are 0 and infinity.
_RANGE = {"float": 104.0, "double": 746.0}
#: From here on exp(x) is infinity, and its half is not.
_OVERFLOW = {"float": 89.0, "double": 710.0}


def exp(floats: Floats, x: Register) -> Register:
    """e to the power of x: infinity above, denormals and then 0 below."""
    whole, value = exp_parts(floats, x)
    return scaled(floats, value, whole)


def exp_parts(floats: Floats, x: Register) -> tuple[Register, Register]:
    """A whole number, and a value from 0.7 to 1.5, with `exp(x) = value * 2**number`."""
    at_once = has_instructions(floats)
    whole, rest = _reduced(floats, x if at_once else within(floats, x, _RANGE[floats.element]))
    if at_once:
        # What is out of range has nonsense for a rest, and a number that makes the result right.
        rest = within(floats, rest, 0.5)
    square = floats.multiply(rest, rest)
    polynomial = floats.short_polynomial(rest, square, _EXP[floats.precision])
    return whole, floats.add(floats.fma(square, polynomial, rest), 1.0)


def _reduced(floats: Floats, x: Register) -> tuple[Register, Register]:
    """A whole number and a rest of at most `log(2) / 2`, with `x = number * log(2) + rest`."""
    whole = nearest(floats, x, math.log2(math.e))
    high, low = LOG2[floats.element]
    return whole, floats.fma(whole, -low, floats.fma(whole, -high, x))


def nearest(floats: Floats, x: Register, factor: float) -> Register:
    """The whole number nearest to a product of moderate size."""
    # Adding 1.5 * 2^23 leaves no place for a fraction.
    magic = 1.5 * 2.0**floats.fraction
    return floats.subtract(floats.fma(x, factor, magic), magic)


def exp_of_sum(floats: Floats, x: Register, addend: Register) -> Register:
    """`exp(x + addend)` for an addend far below 1, nearly correctly rounded."""
    bound = _RANGE[floats.element]
    x = floats.at_most(bound, floats.at_least(-bound, x))
    whole = nearest(floats, x, math.log2(math.e))
    high, low = LOG2[floats.element]
    # Exact; what belongs to it is added to the tail of the sum, which is rounded but once.
    rest = floats.fma(whole, -high, x)
    addend = floats.fma(whole, -low, addend)
    near = floats.add(rest, 1.0)
    lost = floats.subtract(rest, floats.subtract(near, 1.0))
    inner = floats.add(rest, addend)
    square = floats.multiply(inner, inner)
    polynomial = floats.short_polynomial(inner, square, _EXP[floats.precision])
    tail = floats.fma(square, polynomial, floats.add(lost, addend))
    return scaled(floats, floats.add(near, tail), whole)


def expm1(floats: Floats, x: Register) -> Register:
    """`exp(x) - 1`, accurate where x is small; -0 for -0."""
    # Below, the result is -1, and above, infinity; half of the power of two stays in range.
    least, greatest = -0.8 * floats.fraction, _OVERFLOW[floats.element]
    x = floats.at_most(greatest, floats.at_least(least, x))
    whole, rest = _reduced(floats, x)
    square = floats.multiply(rest, rest)
    polynomial = floats.short_polynomial(rest, square, EXPM1[floats.precision])
    half = power_of_two(floats, whole, -1)
    less = floats.fma(square, polynomial, rest)
    halved = floats.fma(half, less, floats.subtract(half, 0.5))
    doubled = floats.add(halved, halved)
    # The halves of denormals are inexact.
    value = floats.select(floats.compare("oeq", whole, 0.0), less, doubled)
    return floats.with_sign_of(value, x)


def sigmoid(floats: Floats, x: Register) -> Register:
    """`1 / (1 + exp(-x))`, with denormals where x is very negative."""
    # All is taken 2^-64 (or 2^-512) times, where exp(-x) has no infinity before the quotient is 0.
    places = (floats.exponent_bias + 1) / 2
    whole, value = exp_parts(floats, floats.negative(x))
    unit = 2.0**-places
    small = scaled(floats, value, floats.subtract(whole, places))
    return floats.divide(unit, floats.add(small, unit))
