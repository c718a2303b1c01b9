"""Sine, cosine and tangent, in doubles."""

from __future__ import annotations

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.quarter_turns import Angle, quarter_turns

# sin(r) = r + r^3 * P(r^2) for r up to pi / 4, fitted to 5e-12 and 4e-18.
_SINE = {
    "wide": (
        -0.1666666664077615,
        0.008333329302409395,
        -0.0001983931148367877,
        2.718114105723216e-06,
    ),
    "double": (
        -0.1666666666666663,
        0.00833333333332184,
        -0.0001984126982935916,
        2.755731353878555e-06,
        -2.5050734437766974e-08,
        1.58954363731817e-10,
    ),
}
# cos(r) = 1 - r^2 / 2 + r^4 * Q(r^2), fitted to 1e-10 and 8e-20.
_COSINE = {
    "wide": (0.041666645670337205, -0.0013887315625295187, 2.443308360311297e-05),
    "double": (
        0.041666666666666595,
        -0.0013888888888873338,
        2.4801587288998495e-05,
        -2.755731421568586e-07,
        2.0875705177885193e-09,
        -1.1358736478447216e-11,
    ),
}


def sin(floats: Floats, x: Register) -> Register:
    """The sine, with the sign of zero; NaN of infinity."""
    angle = quarter_turns(floats, x)
    return floats.select(floats.compare("oeq", x, 0.0), x, _turned(floats, angle, angle.quarters))


def cos(floats: Floats, x: Register) -> Register:
    """The cosine; NaN of infinity."""
    angle = quarter_turns(floats, x)
    return _turned(floats, angle, floats.integers("add", angle.quarters, 1))


def tan(floats: Floats, x: Register) -> Register:
    """The tangent, with the sign of zero; NaN of infinity."""
    angle = quarter_turns(floats, x)
    sine, cosine = _sine(floats, angle), _cosine(floats, angle)
    odd = _is_set(floats, angle.quarters, 1)
    above = floats.select(odd, floats.negative(cosine), sine)
    value = floats.divide(above, floats.select(odd, sine, cosine))
    return floats.select(floats.compare("oeq", x, 0.0), x, value)


def _turned(floats: Floats, angle: Angle, quarters: Register) -> Register:
    """The sine of the rest after these quarter turns."""
    odd = _is_set(floats, quarters, 1)
    value = floats.select(odd, _cosine(floats, angle), _sine(floats, angle))
    sign = floats.integers("shl", floats.integers("and", quarters, 2), floats.width - 2)
    return floats.from_bits(floats.integers("xor", floats.bits(value), sign))


def _is_set(floats: Floats, quarters: Register, bit: int) -> Register:
    masked = floats.integers("and", quarters, bit)
    return floats.emitter.compare("ne", masked, floats.whole(0))


def _sine(floats: Floats, angle: Angle) -> Register:
    rest, correction = angle.rest, angle.correction
    square = floats.multiply(rest, rest)
    cubic = floats.multiply(square, rest)
    polynomial = floats.polynomial(square, _SINE[floats.precision])
    if correction is None:
        return floats.fma(cubic, polynomial, rest)
    # The slope of the sine is 1 - r^2 / 2, as far as the correction shows.
    slope = floats.fma(square, -0.5, 1.0)
    return floats.add(rest, floats.fma(cubic, polynomial, floats.multiply(correction, slope)))


def _cosine(floats: Floats, angle: Angle) -> Register:
    rest, correction = angle.rest, angle.correction
    square = floats.multiply(rest, rest)
    tail = floats.multiply(
        floats.multiply(square, square), floats.polynomial(square, _COSINE[floats.precision])
    )
    half = floats.multiply(square, 0.5)
    if correction is None:
        return floats.add(floats.subtract(1.0, half), tail)
    # The slope of the cosine is -r. What 1 - r^2 / 2 loses is exact, and small enough to be added.
    near = floats.subtract(1.0, half)
    lost = floats.subtract(floats.subtract(1.0, near), half)
    tail = floats.add(tail, floats.subtract(lost, floats.multiply(rest, correction)))
    return floats.add(near, tail)
