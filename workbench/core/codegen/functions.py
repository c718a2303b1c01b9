"""The functions of the steps of a kernel, as vector code: a table of names and of dtypes.

`supports` says whether there is code for a function of some dtypes, `emit_function` writes it. The
meaning is that of the interpreter's kernels: the same bits for arithmetic, comparisons, roots,
rounding and conversions, and for the others errors of at most `accuracy.MAXIMUM_ULP`.

float16 and bfloat16 are computed in float32 and rounded once, as NumPy does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.mathematics import (
    casts,
    divisions,
    error_function,
    exponential,
    hyperbolic,
    integers,
    inverse_trigonometric,
    logarithm,
    power,
    remainders,
    roots,
    rounding,
    trigonometric,
)
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.casts import FLOATING, INTEGERS
from workbench.core.codegen.mathematics.integers import Integers
from workbench.core.codegen.mathematics.precision import rounded
from workbench.core.codegen.target import ITEM_BYTES
from workbench.core.codegen.unsupported import Unsupported as Unsupported

FloatFunction = Callable[..., Register]

#: Of floats, for all four floating dtypes.
_OF_FLOATS: dict[str, FloatFunction] = {
    "add": Floats.add,
    "subtract": Floats.subtract,
    "multiply": Floats.multiply,
    "divide": Floats.divide,
    "negative": rounding.negative,
    "absolute": rounding.absolute,
    "sign": rounding.sign,
    "maximum": rounding.maximum,
    "minimum": rounding.minimum,
    "floor": rounding.floor,
    "ceil": rounding.ceil,
    "rint": rounding.rint,
    "round": rounding.rint,
    "square": roots.square,
    "sqrt": roots.sqrt,
    "rsqrt": roots.rsqrt,
    "reciprocal": roots.reciprocal,
}

#: Of floats, in their own precision: those that are worth a form for float32.
_IN_PRECISION: dict[str, FloatFunction] = {
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "sigmoid": exponential.sigmoid,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "tanh": hyperbolic.tanh,
    "erf": error_function.erf,
    "truncate_mod": remainders.truncate_mod,
    "remainder": remainders.remainder,
    "floor_divide": remainders.floor_divide,
}

#: Of floats, always computed as doubles: they are rare, and so float32 has hardly an error.
_IN_DOUBLE: dict[str, FloatFunction] = {
    "sinh": hyperbolic.sinh,
    "cosh": hyperbolic.cosh,
    "asinh": hyperbolic.asinh,
    "acosh": hyperbolic.acosh,
    "atanh": hyperbolic.atanh,
    "erfc": error_function.erfc,
    "sin": trigonometric.sin,
    "cos": trigonometric.cos,
    "tan": trigonometric.tan,
    "asin": inverse_trigonometric.asin,
    "acos": inverse_trigonometric.acos,
    "atan": inverse_trigonometric.atan,
    "atan2": inverse_trigonometric.atan2,
    "power": power.power,
}

#: Where a dtype has a function of its own.
_OF_ONE_DTYPE: dict[tuple[str, str], FloatFunction] = {
    ("sign", "bfloat16"): rounding.sign_with_zero,
    ("maximum", "float16"): rounding.first_maximum,
    ("minimum", "float16"): rounding.first_minimum,
}

#: From floats to bools.
_TESTS: dict[str, FloatFunction] = {
    "is_nan": rounding.is_nan,
    "is_inf": rounding.is_inf,
    "is_finite": rounding.is_finite,
}

_OF_INTEGERS: dict[str, Callable[..., Register]] = {
    "add": integers.add,
    "subtract": integers.subtract,
    "multiply": integers.multiply,
    "square": integers.square,
    "negative": integers.negative,
    "absolute": integers.absolute,
    "sign": integers.sign,
    "maximum": integers.maximum,
    "minimum": integers.minimum,
    "round": integers.same,
    "bitwise_and": integers.bitwise_and,
    "bitwise_or": integers.bitwise_or,
    "bitwise_xor": integers.bitwise_xor,
    "invert": integers.invert,
    "left_shift": integers.left_shift,
    "right_shift": integers.right_shift,
}

#: Of integers, where the interpreter's kernels fail for a divisor of 0 or a negative exponent.
_OF_CHECKED_INTEGERS: dict[str, Callable[..., Register]] = {
    "truncate_divide": divisions.truncate_divide,
    "truncate_mod": divisions.truncate_mod,
    "floor_divide": divisions.floor_divide,
    "remainder": divisions.remainder,
    "reciprocal": divisions.reciprocal,
    "power": divisions.power,
}

#: Of bools, by the instruction on their bits; `invert` and `logical_not` have one argument.
_OF_BOOLS = {
    "logical_and": "and",
    "logical_or": "or",
    "logical_xor": "xor",
    "bitwise_and": "and",
    "bitwise_or": "or",
    "bitwise_xor": "xor",
    "logical_not": "xor",
    "invert": "xor",
    "maximum": "or",
    "minimum": "and",
}
_NEGATIONS = frozenset({"logical_not", "invert"})

#: Predicates of floats and of integers. Only `not_equal` is true of a NaN.
_COMPARISONS = {
    "equal": ("oeq", "eq"),
    "not_equal": ("une", "ne"),
    "less": ("olt", "lt"),
    "less_equal": ("ole", "le"),
    "greater": ("ogt", "gt"),
    "greater_equal": ("oge", "ge"),
}

_TWO = frozenset(
    {
        "add",
        "subtract",
        "multiply",
        "divide",
        "truncate_divide",
        "truncate_mod",
        "floor_divide",
        "remainder",
        "power",
        "atan2",
        "maximum",
        "minimum",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "left_shift",
        "right_shift",
        "logical_and",
        "logical_or",
        "logical_xor",
    }
)

_Emission = Callable[[Emitter, Sequence[Register], int], Register]


def supports(
    function: str, dtype: str, argument_dtypes: Sequence[str], *, checked: bool = False
) -> bool:
    """Whether there is code for a function with a result and arguments of these dtypes.

    Quotients, remainders and powers of integers count only as `checked`: the kernel has steps that
    make the plan fail where a divisor is 0, or an exponent negative, as the interpreter does.

    >>> supports("exp", "float32", ["float32"]), supports("exp", "int32", ["int32"])
    (True, False)
    """
    if dtype in INTEGERS and function in _OF_CHECKED_INTEGERS and not checked:
        return False
    return _emission(function, dtype, tuple(argument_dtypes)) is not None


def emit_function(
    emitter: Emitter,
    function: str,
    dtype: str,
    arguments: Sequence[Register],
    argument_dtypes: Sequence[str],
    lanes: int,
) -> Register:
    """Writes a function of registers; `dtype` is the result's.

    Raises Unsupported where `supports` is false.

    >>> emitter = Emitter()
    >>> x = Register("%x", "<4 x i32>")
    >>> print(emit_function(emitter, "less", "bool", [x, x], ["int32", "int32"], 4))
    <4 x i1> %v1
    >>> emitter.lines
    ['  %v1 = icmp slt <4 x i32> %x, %x']
    """
    emission = _emission(function, dtype, tuple(argument_dtypes))
    if emission is None:
        taken = ", ".join(argument_dtypes)
        raise Unsupported(f"{function}({taken}) with a result of {dtype} has no vector code")
    return emission(emitter, arguments, lanes)


def _emission(function: str, dtype: str, arguments: tuple[str, ...]) -> _Emission | None:
    if not {dtype, *arguments} <= ITEM_BYTES.keys():
        return None
    if function == "cast":
        return partial(_cast, dtype, arguments[0]) if len(arguments) == 1 else None
    if function == "select":
        return _select if arguments == ("bool", dtype, dtype) else None
    if len(set(arguments)) != 1:
        return None
    source = arguments[0]
    if function in _COMPARISONS:
        accepted = dtype == "bool" and len(arguments) == 2
        return partial(_compare, function, source) if accepted else None
    if function in _TESTS:
        accepted = dtype == "bool" and source in FLOATING and len(arguments) == 1
        return partial(_floating, _TESTS[function], source, False) if accepted else None
    if source != dtype or len(arguments) != (2 if function in _TWO else 1):
        return None
    if dtype == "bool":
        return partial(_logic, function) if function in _OF_BOOLS else None
    if dtype in INTEGERS:
        whole = _OF_INTEGERS.get(function) or _OF_CHECKED_INTEGERS.get(function)
        return partial(_integral, whole, dtype) if whole else None
    return _of_floats(function, dtype)


def _of_floats(function: str, dtype: str) -> _Emission | None:
    special = _OF_ONE_DTYPE.get((function, dtype))
    exact = special or _OF_FLOATS.get(function) or _IN_PRECISION.get(function)
    if exact is not None:
        return partial(_floating, exact, dtype, True)
    wide = _IN_DOUBLE.get(function)
    if wide is None:
        return None
    return partial(_floating, wide if dtype == "float64" else _widened(wide), dtype, True)


def _widened(function: FloatFunction) -> FloatFunction:
    def in_double(floats: Floats, *arguments: Register) -> Register:
        doubles = floats.wide()
        emitter = floats.emitter
        result = function(doubles, *(emitter.convert("fpext", a, doubles.type) for a in arguments))
        return emitter.convert("fptrunc", result, floats.type)

    return in_double


def _cast(
    dtype: str, source: str, emitter: Emitter, arguments: Sequence[Register], lanes: int
) -> Register:
    return casts.cast(emitter, arguments[0], source, dtype, lanes)


def _select(emitter: Emitter, arguments: Sequence[Register], lanes: int) -> Register:
    return emitter.select(*arguments)


def _compare(
    function: str, source: str, emitter: Emitter, arguments: Sequence[Register], lanes: int
) -> Register:
    ordered, whole = _COMPARISONS[function]
    if source in FLOATING:
        return emitter.compare(ordered, *arguments)
    return Integers(emitter, source, lanes).compare(whole, *arguments)


def _logic(function: str, emitter: Emitter, arguments: Sequence[Register], lanes: int) -> Register:
    if function in _NEGATIONS:
        arguments = [*arguments, emitter.constant("i1", True, lanes)]
    return emitter.binary(_OF_BOOLS[function], *arguments)


def _integral(
    function: Callable[..., Register],
    dtype: str,
    emitter: Emitter,
    arguments: Sequence[Register],
    lanes: int,
) -> Register:
    return function(Integers(emitter, dtype, lanes), *arguments)


def _floating(
    function: FloatFunction,
    dtype: str,
    rounds: bool,
    emitter: Emitter,
    arguments: Sequence[Register],
    lanes: int,
) -> Register:
    floats = Floats(emitter, "double" if dtype == "float64" else "float", lanes)
    result = function(floats, *arguments)
    return rounded(floats, result, dtype) if rounds else result
