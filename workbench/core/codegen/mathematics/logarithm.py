"""The natural logarithm, and that of `1 + x`."""

from __future__ import annotations

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.exponents import scaled, taken_apart

# log(1 + r) = r + r^2 * P(r) for r from -1/4 to 1/2, fitted to 5e-9 and 3e-12.
_POLYNOMIAL = {
    "float": (
        -0.5,
        0.3333345055580139,
        -0.25000104308128357,
        0.19990800321102142,
        -0.16646867990493774,
        0.14478406310081482,
        -0.1316618174314499,
        0.10474447160959244,
        -0.045152630656957626,
    ),
    "wide": (
        -0.5000000001075812,
        0.333333333477335,
        -0.2499999722553673,
        0.199999934969561,
        -0.16666863474176552,
        0.14286383790078677,
        -0.12494776823804517,
        0.11085771439326572,
        -0.10038040081070708,
        0.09470055831898226,
        -0.08760082618304149,
        0.06220253029830266,
        -0.02204066837263892,
    ),
}
# log(1 + r) = 2 * s + s^3 * R(s^2) with s = r / (2 + r), fitted to 1.5e-17.
_ODD_POLYNOMIAL = (
    0.6666666666667268,
    0.39999999996176516,
    0.2857142939288786,
    0.2222213868014336,
    0.18186349360450874,
    0.15250312513073414,
    0.15367296074702239,
)
#: As a float it is nearer to the logarithm than floats are in general: its error is 3e-9.
_LOG2 = 0.6931471805599453
#: The multiples of the first part are exact.
_LOG2_HIGH, _LOG2_LOW = 0.6931471803691238, 1.90821492927058770002e-10


def log(floats: Floats, x: Register) -> Register:
    """The natural logarithm: -infinity of 0, NaN of less."""
    fraction, places = taken_apart(floats, x)
    return _from_parts(floats, floats.subtract(fraction, 1.0), places)


def log1p(floats: Floats, x: Register) -> Register:
    """`log(1 + x)`, accurate where x is small; -0 for -0."""
    total = floats.add(x, 1.0)
    # What the sum lost; beyond the numbers whose sum with 1 is one of them, it is nothing.
    lost = floats.subtract(x, floats.subtract(total, 1.0))
    fraction, places = taken_apart(floats, total)
    moderate = floats.compare("olt", floats.absolute(places), float(2 * floats.fraction))
    correction = scaled(floats, lost, floats.negative(places))
    correction = floats.select(moderate, correction, 0.0)
    rest = floats.add(floats.subtract(fraction, 1.0), correction)
    value = _from_parts(floats, rest, places)
    return floats.select(floats.compare("oeq", x, 0.0), x, value)


def _from_parts(floats: Floats, rest: Register, places: Register) -> Register:
    """`log(1 + rest) + places * log(2)`."""
    square = floats.multiply(rest, rest)
    if floats.precision in _POLYNOMIAL:
        polynomial = floats.short_polynomial(rest, square, _POLYNOMIAL[floats.precision])
        return floats.fma(places, _LOG2, floats.fma(square, polynomial, rest))
    ratio = floats.divide(rest, floats.add(rest, 2.0))
    ratio_square = floats.multiply(ratio, ratio)
    polynomial = floats.polynomial(ratio_square, _ODD_POLYNOMIAL)
    tail = floats.multiply(ratio_square, polynomial)
    half_square = floats.multiply(square, 0.5)
    # As r - (r^2 / 2 - s * (r^2 / 2 + s^2 * R)), of which the last part is small.
    small = floats.fma(places, _LOG2_LOW, floats.multiply(ratio, floats.add(half_square, tail)))
    near = floats.subtract(rest, floats.subtract(half_square, small))
    return floats.fma(places, _LOG2_HIGH, near)
