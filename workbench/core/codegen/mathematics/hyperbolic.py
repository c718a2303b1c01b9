"""The hyperbolic functions and their inverses."""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.exponential import EXPM1, LOG2, exp_parts, nearest
from workbench.core.codegen.mathematics.exponents import power_of_two, scaled
from workbench.core.codegen.mathematics.logarithm import log1p

# (exp(2r) - 1) / 2 = r + r^2 * P(r).
_HALF_EXPM1 = {
    precision: tuple(c * 2.0 ** (k + 1) for k, c in enumerate(coefficients))
    for precision, coefficients in EXPM1.items()
}
#: log(2) / 2 in two parts; the multiples of the first are exact with fused arithmetic.
_HALF_LOG2 = {element: (high / 2, low / 2) for element, (high, low) in LOG2.items()}
#: From here on the hyperbolic tangent rounds to 1.
_ONE_FROM = {"float": 9.02, "double": 19.07}
# sinh(x) = x + x^3 * P(x^2) for x up to 1, fitted to 5e-11 and 1e-18.
_SINH = {
    "wide": (
        0.16666666497553564,
        0.008333350058580349,
        0.00019836159711274231,
        2.8169515618782815e-06,
    ),
    "double": (
        0.16666666666666669,
        0.008333333333332912,
        0.00019841269841594343,
        2.755731910630205e-06,
        2.505213109723195e-08,
        1.6056649425527711e-10,
        7.776958679215865e-13,
    ),
}
#: From here on 1 is nothing beside the square.
_LARGE = 2.0**54


def tanh(floats: Floats, x: Register) -> Register:
    """The hyperbolic tangent, with the sign of zero: `h / (h + 1)`, `h = (exp(2x) - 1) / 2`."""
    bound = _ONE_FROM[floats.element]
    near = floats.at_most(bound, floats.absolute(x))
    whole = nearest(floats, near, 2 * math.log2(math.e))
    high, low = _HALF_LOG2[floats.element]
    rest = floats.fma(whole, -low, floats.fma(whole, -high, near))
    square = floats.multiply(rest, rest)
    polynomial = floats.short_polynomial(rest, square, _HALF_EXPM1[floats.precision])
    less = floats.fma(square, polynomial, rest)
    power = power_of_two(floats, whole)
    half = floats.fma(power, less, floats.fma(power, 0.5, -0.5))
    return floats.with_sign_of(floats.divide(half, floats.add(half, 1.0)), x)


def sinh(floats: Floats, x: Register) -> Register:
    """The hyperbolic sine, with the sign of zero."""
    size = floats.absolute(x)
    grown, shrunk = _halves(floats, size)
    far = floats.subtract(grown, shrunk)
    square = floats.multiply(x, x)
    cubic = floats.multiply(square, size)
    near = floats.fma(cubic, floats.polynomial(square, _SINH[floats.precision]), size)
    value = floats.select(floats.compare("olt", size, 1.0), near, far)
    return floats.with_sign_of(value, x)


def cosh(floats: Floats, x: Register) -> Register:
    """The hyperbolic cosine."""
    return floats.add(*_halves(floats, floats.absolute(x)))


def _halves(floats: Floats, size: Register) -> tuple[Register, Register]:
    """The halves of `exp(size)` and of `exp(-size)`, the first as large as a number can be."""
    whole, value = exp_parts(floats, size)
    grown = scaled(floats, value, floats.subtract(whole, 1.0))
    return grown, floats.divide(0.25, grown)


def asinh(floats: Floats, x: Register) -> Register:
    """The inverse of the hyperbolic sine, with the sign of zero."""
    size = floats.absolute(x)
    square = floats.multiply(size, size)
    root = floats.call("sqrt", floats.add(square, 1.0))
    less = floats.add(size, floats.divide(square, floats.add(root, 1.0)))
    return floats.with_sign_of(_log1p_of(floats, size, less), x)


def acosh(floats: Floats, x: Register) -> Register:
    """The inverse of the hyperbolic cosine: NaN below 1."""
    above = floats.subtract(x, 1.0)
    root = floats.call("sqrt", floats.fma(above, above, floats.add(above, above)))
    value = _log1p_of(floats, above, floats.add(above, root))
    return floats.select(floats.compare("olt", x, 1.0), math.nan, value)


def _log1p_of(floats: Floats, size: Register, moderate: Register) -> Register:
    """`log1p(moderate)`; for a large size, of which squares may be infinite, `log(2 * size)`."""
    large = floats.compare("ogt", size, _LARGE)
    value = log1p(floats, floats.select(large, size, moderate))
    return floats.select(large, floats.add(value, math.log(2.0)), value)


def atanh(floats: Floats, x: Register) -> Register:
    """The inverse of the hyperbolic tangent: infinity of 1, NaN of more."""
    size = floats.absolute(x)
    ratio = floats.divide(floats.add(size, size), floats.subtract(1.0, size))
    half = floats.multiply(log1p(floats, ratio), 0.5)
    return floats.with_sign_of(half, x)
