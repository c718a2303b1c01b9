"""Angles brought into an eighth of a turn to both sides, whatever their size.

Up to 2^40 a multiple of pi / 2 in three parts is taken away. Beyond, which hardly ever happens, the
angle's bits are multiplied by those of 2 / pi that matter (Payne and Hanek's method): lane by lane,
in a block of its own that is skipped where no lane needs it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.lanes import for_rare_lanes

#: pi / 2 in three parts of 53 bits.
HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)
_LIMIT = 2.0**40
#: The bits of 2 / pi behind the binary point, after 64 zeros for angles that are not so large.
_TWO_OVER_PI = (
    0,
    0xA2F9836E4E441529,
    0xFC2757D1F534DDC0,
    0xDB6295993C439041,
    0xFE5163ABDEBBC561,
    0xB7246E3A424DD2E0,
    0x06492EEA09D1921C,
    0xFE1DEB1CB129A73E,
    0xE88235F52EBB4484,
    0xE99C7026B45F7E41,
    0x3991D639835339F4,
    0x9C845F8BBDF9283B,
    0x1FF897FFDE05980F,
    0xEF2F118B5A0A6D1F,
    0x6D367ECF27CB09B7,
    0x4F463F669E5FEA2D,
    0x7527BAC7EBE5F17B,
    0x3D0739F78A5292EA,
    0x6BFB5FB11F8D5D08,
    0x56033046FC7B6BAB,
)
_BITS = 64


class Angle(NamedTuple):
    """`quarters * pi / 2 + rest + correction`, the rest within pi / 4, the quarters up to fours."""

    rest: Register
    #: What the rest lost in rounding; None where the results are going to be rounded to float.
    correction: Register | None
    #: Integers, of which the two lowest bits count.
    quarters: Register


def quarter_turns(floats: Floats, x: Register) -> Angle:
    """An angle in doubles as quarter turns and a rest; NaN for infinities."""
    magic = 1.5 * 2.0**floats.fraction
    shifted = floats.fma(x, 2 / math.pi, magic)
    whole = floats.subtract(shifted, magic)
    # The first difference is exact.
    first = floats.fma(whole, -HALF_PI[0], x)
    quarters = floats.bits(shifted)
    is_rare = floats.compare("oge", floats.absolute(x), _LIMIT)
    if floats.precision == "wide":
        rest = floats.fma(whole, -HALF_PI[1], first)
        rest, quarters = for_rare_lanes(
            floats.emitter, is_rare, [rest, quarters], [x], _large, floats.lanes
        )
        return Angle(rest, None, quarters)
    second = floats.multiply(whole, HALF_PI[1])
    third = floats.fma(whole, -HALF_PI[1], second)
    third = floats.fma(whole, -HALF_PI[2], third)
    rest = floats.subtract(first, second)
    # What that difference lost, exactly, whichever of the two is larger.
    back = floats.subtract(first, rest)
    lost = floats.subtract(
        floats.subtract(back, second),
        floats.subtract(floats.add(rest, back), first),
    )
    correction = floats.add(lost, third)
    rest, correction, quarters = for_rare_lanes(
        floats.emitter, is_rare, [rest, correction, quarters], [x], _large_exactly, floats.lanes
    )
    return Angle(rest, correction, quarters)


def _large(scalar: Floats, x: Register) -> list[Register]:
    rest, _, quarters = _large_exactly(scalar, x)
    return [rest, quarters]


def _large_exactly(scalar: Floats, x: Register) -> list[Register]:
    """The rest, its correction and the quarters of one large angle."""
    emitter = scalar.emitter
    bits = scalar.bits(x)
    field = scalar.integers("and", scalar.integers("lshr", bits, 52), 0x7FF)
    fraction = scalar.integers("and", bits, (1 << 52) - 1)
    mantissa = scalar.integers("or", fraction, 1 << 52)
    # x is mantissa * 2^(field - 1075); of 2 / pi, bits above 1 / 4 of that only make full turns.
    place = scalar.integers("add", field, -1075 - 2 + _BITS)
    # The exponent field of infinity is too large for the table, and its result is not used.
    place = emitter.intrinsic("umin", "i64", place, scalar.whole(1087))
    word = scalar.integers("lshr", place, 6)
    shift = scalar.integers("and", place, 63)
    table = emitter.constants("i64", _TWO_OVER_PI)
    words = []
    for k in range(4):
        index = scalar.integers("add", word, k)
        words.append(emitter.emit("i64", f"extractelement {table}, {index}"))
    window = [emitter.intrinsic("fshl", "i64", words[k], words[k + 1], shift) for k in range(3)]
    wide_mantissa = emitter.convert("zext", mantissa, "i128")
    products = [
        emitter.binary("mul", emitter.convert("zext", w, "i128"), wide_mantissa) for w in window
    ]
    sixty_four = emitter.constant("i128", 64)
    carried = emitter.binary("lshr", products[2], sixty_four)
    middle = emitter.binary("add", products[1], carried)
    high = emitter.binary("add", emitter.binary("shl", products[0], sixty_four), middle)
    # Two bits of quarters, then 126 of a fraction: to the nearest quarter.
    half = emitter.constant("i128", 1 << 125)
    quarters = emitter.binary(
        "lshr", emitter.binary("add", high, half), emitter.constant("i128", 126)
    )
    signed = emitter.binary(
        "sub", high, emitter.binary("shl", quarters, emitter.constant("i128", 126))
    )
    below = emitter.compare("slt", signed, emitter.constant("i128", 0))
    size = emitter.select(below, emitter.binary("sub", emitter.constant("i128", 0), signed), signed)
    rest, correction = _scaled_by_half_pi(scalar, size)
    is_negative = emitter.binary("xor", below, scalar.compare("olt", x, 0.0))
    quarters = emitter.convert("trunc", quarters, "i64")
    backwards = scalar.integers("sub", 0, quarters)
    quarters = emitter.select(scalar.compare("olt", x, 0.0), backwards, quarters)
    rest = emitter.select(is_negative, scalar.negative(rest), rest)
    correction = emitter.select(is_negative, scalar.negative(correction), correction)
    finite = scalar.compare("olt", scalar.absolute(x), math.inf)
    return [scalar.select(finite, rest, math.nan), correction, quarters]


def _scaled_by_half_pi(scalar: Floats, size: Register) -> tuple[Register, Register]:
    """An i128 of a fraction with 126 bits, times pi / 2, in two parts."""
    emitter = scalar.emitter
    zeros = emitter.call("@llvm.ctlz.i128", "i128", size, Register("false", "i1"))
    # An angle is never a whole number of quarters: there is a bit, and the places are below 128.
    places = emitter.binary("and", zeros, emitter.constant("i128", 127))
    normal = emitter.binary("shl", size, places)
    top = emitter.convert(
        "trunc", emitter.binary("lshr", normal, emitter.constant("i128", 75)), "i64"
    )
    low = emitter.binary("and", normal, emitter.constant("i128", (1 << 75) - 1))
    low = emitter.convert("trunc", emitter.binary("lshr", low, emitter.constant("i128", 22)), "i64")
    # 53 bits each, exact as doubles: the number is (top + low / 2^53) * 2^(75 - 126 - places).
    exponent = scalar.integers("sub", 1023 + 75 - 126, emitter.convert("trunc", places, "i64"))
    unit = scalar.from_bits(scalar.integers("shl", exponent, 52))
    first = scalar.multiply(emitter.convert("uitofp", top, "double"), unit)
    second = scalar.multiply(
        scalar.multiply(emitter.convert("uitofp", low, "double"), 2.0**-53), unit
    )
    product = scalar.multiply(first, HALF_PI[0])
    error = scalar.fma(first, HALF_PI[0], scalar.negative(product))
    error = scalar.fma(first, HALF_PI[1], scalar.fma(second, HALF_PI[0], error))
    rest = scalar.add(product, error)
    return rest, scalar.add(scalar.subtract(product, rest), error)
