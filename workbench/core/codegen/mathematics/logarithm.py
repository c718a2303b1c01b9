"""The natural logarithm."""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats

# log(1 + r) = r - r^2 / 2 + r^3 * P(r) for 1 + r from sqrt(1/2) to sqrt(2); of Cephes (logf).
_SINGLE = (
    3.3333331174e-1,
    -2.4999993993e-1,
    2.0000714765e-1,
    -1.6668057665e-1,
    1.4249322787e-1,
    -1.2420140846e-1,
    1.1676998740e-1,
    -1.1514610310e-1,
    7.0376836292e-2,
)
_LOG2 = (0.693359375, -2.12194440e-4)
_SQRT_HALF_BITS = 0x3F3504F3
_LEAST_NORMAL = 2.0**-126


def log(floats: Floats, x: Register) -> Register:
    """The natural logarithm: -infinity of 0, NaN of less."""
    small = floats.compare("olt", x, _LEAST_NORMAL)
    normal = floats.select(small, floats.multiply(x, 2.0**floats.fraction), x)
    bits = floats.bits(normal)
    exponent = floats.integers("ashr", floats.integers("sub", bits, _SQRT_HALF_BITS), 23)
    shifted = floats.integers("shl", exponent, floats.fraction)
    rest = floats.subtract(floats.from_bits(floats.integers("sub", bits, shifted)), 1.0)
    places = floats.emitter.convert("sitofp", exponent, floats.type)
    places = floats.select(small, floats.subtract(places, float(floats.fraction)), places)
    square = floats.multiply(rest, rest)
    cubic = floats.multiply(floats.multiply(rest, square), floats.polynomial(rest, _SINGLE))
    low = floats.fma(square, -0.5, floats.fma(places, _LOG2[1], cubic))
    value = floats.fma(places, _LOG2[0], floats.add(rest, low))
    value = floats.select(floats.compare("oeq", x, math.inf), x, value)
    value = floats.select(floats.compare("oeq", x, 0.0), -math.inf, value)
    return floats.select(floats.compare("ult", x, 0.0), math.nan, value)
