"""The hyperbolic tangent."""

from __future__ import annotations

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats

# tanh(x) = x * P(x^2) / Q(x^2) up to where it rounds to 1.
_NUMERATOR = (
    4.89352455891786e-03,
    6.37261928875436e-04,
    1.48572235717979e-05,
    5.12229709037114e-08,
    -8.60467152213735e-11,
    2.00018790482477e-13,
    -2.76076847742355e-16,
)
_DENOMINATOR = (
    4.89352518554385e-03,
    2.26843463243900e-03,
    1.18534705686654e-04,
    1.19825839466702e-06,
)
_ONE_FROM = 7.90531110763549805


def tanh(floats: Floats, x: Register) -> Register:
    """The hyperbolic tangent, with the sign of zero."""
    x = floats.at_most(_ONE_FROM, floats.at_least(-_ONE_FROM, x))
    square = floats.multiply(x, x)
    above = floats.multiply(x, floats.polynomial(square, _NUMERATOR))
    return floats.divide(above, floats.polynomial(square, _DENOMINATOR))
