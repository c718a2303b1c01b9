"""The error function and its complement, with the polynomials of the interpreter's kernels."""

from __future__ import annotations

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.exponential import exp
from workbench.core.kernels.erf import NEAR_ZERO, SCALED_COMPLEMENT

# erf(x) = x + x * P(x^2) for x up to 0.92, fitted to 9e-10.
_NEAR = (
    0.12837916612625122,
    -0.37612631916999817,
    0.11283698678016663,
    -0.02686036378145218,
    0.005204338114708662,
    -0.0008184907492250204,
    8.556395187042654e-05,
)
_FAR_FROM = 0.92
# erf(x) = 1 - exp(-Q(x)) for x from 0.9 to 4, fitted to 2e-9.
_FAR = (
    0.00016645609866827726,
    1.127797245979309,
    0.6369760036468506,
    0.10411382466554642,
    -0.02231532894074917,
    0.0030655344016849995,
    -0.00019822629110421985,
)
_ONE_FROM = 4.0
#: From here on erfc(x) is 0.
_ZERO_FROM = 28.0


def erf(floats: Floats, x: Register) -> Register:
    """The error function, with the sign of zero."""
    if floats.is_single:
        return _erf_of_single(floats, x)
    size = floats.absolute(x)
    near = floats.multiply(x, floats.polynomial(floats.multiply(x, x), NEAR_ZERO))
    far = floats.with_sign_of(floats.subtract(1.0, _complement(floats, size)), x)
    return floats.select(floats.compare("olt", size, 0.75), near, far)


def _erf_of_single(floats: Floats, x: Register) -> Register:
    size = floats.at_most(_ONE_FROM, floats.absolute(x))
    near = floats.fma(size, floats.polynomial(floats.multiply(size, size), _NEAR), size)
    complement = exp(floats, floats.negative(floats.polynomial(size, _FAR)))
    far = floats.subtract(1.0, complement)
    value = floats.select(floats.compare("olt", size, _FAR_FROM), near, far)
    return floats.with_sign_of(value, x)


def erfc(floats: Floats, x: Register) -> Register:
    """`1 - erf(x)`, accurate however small it is."""
    size = floats.absolute(x)
    complement = _complement(floats, size)
    below = floats.subtract(2.0, complement)
    far = floats.select(floats.compare("olt", x, 0.0), below, complement)
    square = floats.multiply(x, x)
    near = floats.fma(floats.negative(x), floats.polynomial(square, NEAR_ZERO), 1.0)
    return floats.select(floats.compare("olt", size, 0.5), near, far)


def _complement(floats: Floats, size: Register) -> Register:
    """erfc of numbers from 0 on."""
    x = floats.at_most(_ZERO_FROM, size)
    place = floats.divide(floats.subtract(x, 3.5), floats.add(x, 3.5))
    factor = floats.divide(floats.polynomial(place, SCALED_COMPLEMENT), floats.fma(x, 2.0, 1.0))
    # The square in two parts: the exponential of its rounding error is 1 and the error.
    square = floats.negative(floats.multiply(x, x))
    error = floats.fma(floats.negative(x), x, floats.negative(square))
    product = floats.multiply(factor, exp(floats, square))
    return floats.fma(product, error, product)
