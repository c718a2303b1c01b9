"""The exponential function and the logistic one."""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats

# exp(r) = 1 + r + r^2 * P(r) on |r| <= log(2) / 2; of the Cephes library (expf).
_SINGLE = (
    5.0000001201e-1,
    1.6666665459e-1,
    4.1665795894e-2,
    8.3334519073e-3,
    1.3981999507e-3,
    1.9875691500e-4,
)
# log(2) in two parts: the first has so few bits that its multiples are exact.
_LOG2 = (0.693359375, -2.12194440e-4)
# Beyond these the results are 0 and infinity.
_LEAST, _GREATEST = -104.0, 89.0


def exp(floats: Floats, x: Register) -> Register:
    """e to the power of x: infinity above, denormals and 0 below."""
    x = floats.at_most(_GREATEST, floats.at_least(_LEAST, x))
    # Adding 1.5 * 2^23 leaves no place for a fraction, and the whole number in the low bits.
    magic = 1.5 * 2.0**floats.fraction
    shifted = floats.fma(x, math.log2(math.e), magic)
    whole = floats.subtract(shifted, magic)
    rest = floats.fma(whole, -_LOG2[1], floats.fma(whole, -_LOG2[0], x))
    inner = floats.multiply(rest, floats.polynomial(rest, _SINGLE))
    value = floats.add(floats.fma(inner, rest, rest), 1.0)
    return _scaled(floats, value, floats.bits(shifted))


def _scaled(floats: Floats, value: Register, places: Register) -> Register:
    """`value * 2**places`, in two steps of which the first is exact."""
    places = floats.integers("shl", places, floats.width - floats.fraction)
    places = floats.integers("ashr", places, floats.width - floats.fraction)
    half = floats.integers("ashr", places, 1)
    rest = floats.integers("sub", places, half)
    return floats.multiply(floats.multiply(value, _power(floats, half)), _power(floats, rest))


def _power(floats: Floats, exponent: Register) -> Register:
    biased = floats.integers("add", exponent, floats.exponent_bias)
    return floats.from_bits(floats.integers("shl", biased, floats.fraction))


def sigmoid(floats: Floats, x: Register) -> Register:
    """`1 / (1 + exp(-x))`: an infinite exponential has the right limit."""
    return floats.divide(1.0, floats.add(exp(floats, floats.negative(x)), 1.0))
