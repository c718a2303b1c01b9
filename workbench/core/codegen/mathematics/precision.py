"""Rounding to the types that are floats in registers: float16 and bfloat16."""

from __future__ import annotations

from workbench.core.codegen.emitter import Register, vector_type
from workbench.core.codegen.mathematics.arithmetic import Floats

_QUIET_BIT = 0x0040_0000


def rounded(floats: Floats, value: Register, dtype: str) -> Register:
    """A float rounded to the nearest number of the dtype, the even one of two."""
    if dtype == "float16":
        half = floats.emitter.convert("fptrunc", value, vector_type("half", floats.lanes))
        return floats.emitter.convert("fpext", half, floats.type)
    if dtype == "bfloat16":
        return _to_bfloat16(floats, value)
    return value


def _to_bfloat16(floats: Floats, value: Register) -> Register:
    # The processor's own instruction flushes denormals, so the rounding is done on the bits.
    bits = floats.bits(value)
    odd = floats.integers("and", floats.integers("lshr", bits, 16), 1)
    nearest = floats.integers("add", floats.integers("add", bits, 0x7FFF), odd)
    # A NaN must not be carried into an infinity.
    quiet = floats.integers("or", bits, _QUIET_BIT)
    chosen = floats.emitter.select(floats.compare("uno", value, value), quiet, nearest)
    return floats.from_bits(floats.integers("and", chosen, -0x10000))
