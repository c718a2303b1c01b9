"""From one dtype to another, as NumPy's `astype` does it on x86, also out of range."""

from __future__ import annotations

from workbench.core.codegen.emitter import Emitter, Register, element_type, vector_type
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.precision import rounded
from workbench.core.codegen.target import ITEM_BYTES

FLOATING = frozenset({"float32", "float64", "float16", "bfloat16"})
INTEGERS = frozenset(name for name in ITEM_BYTES if name.lstrip("u").startswith("int"))


def is_signed(dtype: str) -> bool:
    """Whether an integer dtype has negative numbers."""
    return dtype.startswith("int")


def cast(emitter: Emitter, value: Register, source: str, target: str, lanes: int) -> Register:
    """The value in another dtype.

    Floats are cut to integers. Beyond an integer's range NumPy leaves to the processor what
    happens; the results here are those of x86: the least integer of 32 or 64 bits, of which narrow
    types keep the low bits.
    """
    if source == target:
        return value
    if target == "bool":
        return _to_bool(emitter, value, source, lanes)
    if target in FLOATING:
        return _to_float(emitter, value, source, target, lanes)
    wanted = vector_type(element_type(target), lanes)
    if source == "bool":
        return emitter.convert("zext", value, wanted)
    if source in INTEGERS:
        return _between_integers(emitter, value, source, target, wanted)
    # Numbers of float16 go through 64 bits, also to 32.
    if target == "uint64" or (target == "uint32" and source != "float16"):
        return _to_unsigned(emitter, value, element_type(target), lanes)
    element = "i64" if target in ("int64", "uint32") else "i32"
    return _truncated(emitter, _to_signed(emitter, value, element, lanes), wanted)


def _to_bool(emitter: Emitter, value: Register, source: str, lanes: int) -> Register:
    zero = emitter.constant(element_type(source), 0, lanes)
    return emitter.compare("une" if source in FLOATING else "ne", value, zero)


def _to_float(emitter: Emitter, value: Register, source: str, target: str, lanes: int) -> Register:
    wanted = vector_type(element_type(target), lanes)
    if source in FLOATING:
        if source == "float64":
            if target == "float16":
                value = _to_odd(emitter, value, lanes)
            else:
                value = emitter.convert("fptrunc", value, wanted)
        elif target == "float64":
            return emitter.convert("fpext", value, wanted)
    elif source == "bool" or not is_signed(source):
        value = emitter.convert("uitofp", value, wanted)
    else:
        value = emitter.convert("sitofp", value, wanted)
    if target in ("float16", "bfloat16"):
        return rounded(Floats(emitter, "float", lanes), value, target)
    return value


def _to_odd(emitter: Emitter, value: Register, lanes: int) -> Register:
    """A double as a float that is odd where it is not exact: rounding it again does no harm."""
    doubles, floats = Floats(emitter, "double", lanes), Floats(emitter, "float", lanes)
    near = emitter.convert("fptrunc", value, floats.type)
    back = emitter.convert("fpext", near, doubles.type)
    bits = floats.bits(near)
    # One step towards zero where the size was rounded up, which leaves an odd number odd.
    above = doubles.compare("ogt", doubles.absolute(back), doubles.absolute(value))
    step = emitter.convert("zext", above, floats.integer_type)
    cut = floats.integers("sub", bits, step)
    inexact = doubles.compare("one", back, value)
    sticky = emitter.convert("zext", inexact, floats.integer_type)
    return floats.from_bits(floats.integers("or", cut, sticky))


def _between_integers(
    emitter: Emitter, value: Register, source: str, target: str, wanted: str
) -> Register:
    if ITEM_BYTES[target] > ITEM_BYTES[source]:
        return emitter.convert("sext" if is_signed(source) else "zext", value, wanted)
    return _truncated(emitter, value, wanted)


def _truncated(emitter: Emitter, value: Register, wanted: str) -> Register:
    return value if value.type == wanted else emitter.convert("trunc", value, wanted)


def _to_signed(emitter: Emitter, value: Register, element: str, lanes: int) -> Register:
    """Cut to an i32 or i64, the least one where it is out of range or not a number."""
    floats = Floats(emitter, "double" if "double" in value.type else "float", lanes)
    width = int(element[1:])
    # A conversion out of range is poison, which a choice stops. The bound itself is the least one.
    fits = floats.compare("olt", floats.absolute(value), 2.0 ** (width - 1))
    cut = emitter.convert("fptosi", value, vector_type(element, lanes))
    return emitter.select(fits, cut, emitter.constant(element, -(2 ** (width - 1)), lanes))


def _to_unsigned(emitter: Emitter, value: Register, element: str, lanes: int) -> Register:
    """As compilers do it with signed conversions: by halves of the range."""
    floats = Floats(emitter, "double" if "double" in value.type else "float", lanes)
    sign = 1 << (int(element[1:]) - 1)
    low = _to_signed(emitter, value, element, lanes)
    high = _to_signed(emitter, floats.subtract(value, float(sign)), element, lanes)
    flipped = emitter.binary("xor", high, emitter.constant(element, -sign, lanes))
    # True of NaN as well.
    return emitter.select(floats.compare("ult", value, float(sign)), low, flipped)
