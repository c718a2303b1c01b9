"""Inverse sine, cosine and tangent, in doubles."""

from __future__ import annotations

import math

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats, Value
from workbench.core.codegen.mathematics.quarter_turns import HALF_PI

# asin(r) = r + r^3 * P(r^2) for r up to 1/2, fitted to 3e-10 and 1e-18.
_ASIN = {
    "wide": (
        0.16666659991358493,
        0.07500504179771322,
        0.04451695619369569,
        0.031807709309996796,
        0.014438640250400748,
        0.0375164009143653,
    ),
    "double": (
        0.1666666666666676,
        0.07499999999970865,
        0.044642857174561866,
        0.03038194270982242,
        0.02237221493705741,
        0.017351612832798093,
        0.013980811553521719,
        0.011398980385666285,
        0.010779895963104889,
        0.0037076760396118186,
        0.021704531399494804,
        -0.02099514186777309,
        0.03262628420956061,
    ),
}
# atan(r) = r + r^3 * P(r^2) for r up to sqrt(2) - 1, fitted to 7e-10 and 2e-18.
_ATAN = {
    "wide": (
        -0.33333315179115475,
        0.19998470912433808,
        -0.14243521485815458,
        0.1059372239236546,
        -0.06077980665700909,
    ),
    "double": (
        -0.333333333333332,
        0.19999999999953666,
        -0.14285714280198805,
        0.111111107834502,
        -0.09090897756174547,
        0.07692060184338298,
        -0.06663103779780853,
        0.05847888309600727,
        -0.05039305484219009,
        0.03806472682482461,
        -0.01790755798813636,
    ),
}
#: Tangents of an eighth and of three eighths of half a turn.
_LOW, _HIGH = math.sqrt(2) - 1, math.sqrt(2) + 1


def _odd(
    floats: Floats, r: Register, square: Register, terms: dict[str, tuple[float, ...]]
) -> Register:
    cubic = floats.multiply(square, r)
    return floats.multiply(cubic, floats.polynomial(square, terms[floats.precision]))


def asin(floats: Floats, x: Register) -> Register:
    """The inverse sine, with the sign of zero; NaN beyond 1."""
    size = floats.absolute(x)
    is_far, r, tail, _ = _asin_parts(floats, size)
    # pi / 2 - 2 * asin(sqrt((1 - x) / 2)) near 1.
    inner = floats.subtract(HALF_PI[1], floats.add(tail, tail))
    far = floats.add(floats.fma(r, -2.0, HALF_PI[0]), inner)
    value = floats.select(is_far, far, floats.add(r, tail))
    return floats.with_sign_of(value, x)


def acos(floats: Floats, x: Register) -> Register:
    """The inverse cosine; NaN beyond 1."""
    size = floats.absolute(x)
    is_far, r, tail, lost = _asin_parts(floats, size)
    below = floats.compare("olt", x, 0.0)
    # pi / 2 - asin(x) near 0, twice asin(sqrt((1 - |x|) / 2)) near 1, and that from pi near -1.
    signed = floats.with_sign_of(r, x)
    signed_tail = floats.with_sign_of(tail, x)
    near = floats.subtract(
        HALF_PI[0], floats.subtract(signed, floats.subtract(HALF_PI[1], signed_tail))
    )
    half = floats.add(r, floats.add(tail, lost))
    positive = floats.add(half, half)
    rest = floats.subtract(floats.add(tail, lost), HALF_PI[1])
    quarter = floats.subtract(HALF_PI[0], floats.add(r, rest))
    far = floats.select(below, floats.add(quarter, quarter), positive)
    return floats.select(is_far, far, near)


def _asin_parts(floats: Floats, size: Register) -> tuple[Register, Register, Register, Register]:
    """Whether the size is above 1/2; then the parts are of `sqrt((1 - size) / 2)`.

    The parts: r, `asin(r) - r`, and what the root r lost in rounding.
    """
    is_far = floats.compare("ogt", size, 0.5)
    complement = floats.multiply(floats.subtract(1.0, size), 0.5)
    root = floats.call("sqrt", complement)
    r = floats.select(is_far, root, size)
    square = floats.select(is_far, complement, floats.multiply(size, size))
    tail = _odd(floats, r, square, _ASIN)
    missing = floats.fma(floats.negative(root), root, complement)
    # The root of 0 lost nothing.
    twice = floats.select(floats.compare("oeq", root, 0.0), 1.0, floats.add(root, root))
    return is_far, r, tail, floats.divide(missing, twice)


def atan(floats: Floats, x: Register) -> Register:
    """The inverse tangent, with the sign of zero."""
    size = floats.absolute(x)
    return floats.with_sign_of(_atan_of_ratio(floats, size, 1.0), x)


def _atan_of_ratio(
    floats: Floats, above: Register, below: Value, is_left: Register | None = None
) -> Register:
    """`atan(above / below)` of numbers from 0 to infinity, not both 0 or infinite.

    To the left it is taken from pi.
    """
    is_high = floats.compare("ogt", above, floats.multiply(below, _HIGH))
    is_middle = floats.compare("ogt", above, floats.multiply(below, _LOW))
    one_of = floats.select(is_high, floats.negative(floats.value(below)), above)
    middle = floats.subtract(above, below)
    numerator = floats.select(is_high, one_of, floats.select(is_middle, middle, above))
    total = floats.add(above, below)
    denominator = floats.select(is_high, above, floats.select(is_middle, total, below))
    r = floats.divide(numerator, denominator)
    tail = _odd(floats, r, floats.multiply(r, r), _ATAN)
    # Plus pi / 2 or pi / 4, in two parts.
    factor = floats.select(is_high, 1.0, floats.select(is_middle, 0.5, 0.0))
    if is_left is not None:
        factor = floats.select(is_left, floats.subtract(2.0, factor), factor)
        r = floats.select(is_left, floats.negative(r), r)
        tail = floats.select(is_left, floats.negative(tail), tail)
    tail = floats.fma(factor, HALF_PI[1], tail)
    return floats.fma(factor, HALF_PI[0], floats.add(r, tail))


def atan2(floats: Floats, y: Register, x: Register) -> Register:
    """The angle of the point (x, y), in radians from -pi to pi, by the signs of zeros as well."""
    above, below = floats.absolute(y), floats.absolute(x)
    # Sums stay finite.
    large = floats.compare("ogt", floats.call("maxnum", above, below), 2.0**1000)
    above = floats.select(large, floats.multiply(above, 0.125), above)
    below = floats.select(large, floats.multiply(below, 0.125), below)
    # Two infinities or two zeros: an eighth of a turn, and none.
    both = floats.compare("oeq", above, below)
    above = floats.select(both, floats.select(floats.compare("oeq", above, 0.0), 0.0, 1.0), above)
    below = floats.select(both, 1.0, below)
    to_the_left = floats.integers("lshr", floats.bits(x), floats.width - 1)
    is_left = floats.emitter.compare("ne", to_the_left, floats.whole(0))
    return floats.with_sign_of(_atan_of_ratio(floats, above, below, is_left), y)
