"""Whole numbers near a number, signs, extremes, and which numbers are finite: exact functions."""

from __future__ import annotations

import math
import re
import struct

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats

#: How `emitter.literal` writes a float: all lanes of a constant are the same.
_LITERAL = re.compile("0x([0-9A-F]{16})")


def absolute(floats: Floats, x: Register) -> Register:
    return floats.absolute(x)


def negative(floats: Floats, x: Register) -> Register:
    return floats.negative(x)


def floor(floats: Floats, x: Register) -> Register:
    return floats.call("floor", x)


def ceil(floats: Floats, x: Register) -> Register:
    return floats.call("ceil", x)


def rint(floats: Floats, x: Register) -> Register:
    """The nearest whole number, the even one of two."""
    return floats.call("roundeven", x)


def sign(floats: Floats, x: Register) -> Register:
    """-1, 0 (never -0) or 1; a NaN stays one."""
    upwards = floats.select(floats.compare("ogt", x, 0.0), 1.0, x)
    either = floats.select(floats.compare("olt", x, 0.0), -1.0, upwards)
    return floats.select(floats.compare("oeq", x, 0.0), 0.0, either)


def sign_with_zero(floats: Floats, x: Register) -> Register:
    """-1, 1, or the zero itself with its sign; a NaN stays one."""
    nonzero = floats.compare("one", x, 0.0)
    return floats.select(nonzero, floats.with_sign_of(1.0, x), x)


def maximum(floats: Floats, a: Register, b: Register) -> Register:
    """The larger number, the second of equal ones, a NaN where either is one."""
    return _extreme(floats, "ogt", a, b)


def minimum(floats: Floats, a: Register, b: Register) -> Register:
    """The smaller number, the second of equal ones, a NaN where either is one."""
    return _extreme(floats, "olt", a, b)


def _extreme(floats: Floats, better: str, a: Register, b: Register) -> Register:
    if _is_constant(b):
        # Not "b is better or equal": that is true of a NaN, and the constant is none.
        worse_or_equal = {"ogt": "ole", "olt": "oge"}[better]
        return floats.select(floats.compare(worse_or_equal, a, b), b, a)
    chosen = floats.select(floats.compare(better, a, b), a, b)
    if _is_constant(a):
        return chosen
    return floats.select(floats.compare("uno", a, a), a, chosen)


def first_maximum(floats: Floats, a: Register, b: Register) -> Register:
    """The larger number, the first of equal ones, a NaN where either is one."""
    return _first_extreme(floats, "oge", a, b)


def first_minimum(floats: Floats, a: Register, b: Register) -> Register:
    """The smaller number, the first of equal ones, a NaN where either is one."""
    return _first_extreme(floats, "ole", a, b)


def _first_extreme(floats: Floats, not_worse: str, a: Register, b: Register) -> Register:
    chosen = floats.select(floats.compare(not_worse, a, b), a, b)
    return floats.select(floats.compare("uno", a, a), a, chosen)


def _is_constant(register: Register) -> bool:
    """Whether it is the text of a constant that is a number."""
    found = _LITERAL.search(register.name)
    if found is None:
        return False
    (value,) = struct.unpack(">d", bytes.fromhex(found[1]))
    return not math.isnan(value)


def is_nan(floats: Floats, x: Register) -> Register:
    return floats.compare("uno", x, x)


def is_inf(floats: Floats, x: Register) -> Register:
    return floats.compare("oeq", floats.absolute(x), math.inf)


def is_finite(floats: Floats, x: Register) -> Register:
    return floats.compare("olt", floats.absolute(x), math.inf)
