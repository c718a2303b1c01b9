"""Squares, roots and reciprocals: correctly rounded steps."""

from __future__ import annotations

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics.arithmetic import Floats


def square(floats: Floats, x: Register) -> Register:
    return floats.multiply(x, x)


def sqrt(floats: Floats, x: Register) -> Register:
    return floats.call("sqrt", x)


def reciprocal(floats: Floats, x: Register) -> Register:
    return floats.divide(1.0, x)


def rsqrt(floats: Floats, x: Register) -> Register:
    """`1 / sqrt(x)`, both steps rounded: the processor's approximation has 14 bits."""
    return floats.divide(1.0, sqrt(floats, x))
