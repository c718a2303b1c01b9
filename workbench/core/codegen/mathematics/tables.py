"""Which function writes which step, by name and kind of dtype."""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.mathematics import (
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

Function = Callable[..., Register]

#: Of floats, for all four floating dtypes.
EXACT: dict[str, Function] = {
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

#: Of floats, with results as short as the arguments: nothing to round.
AS_SHORT = frozenset(
    {"negative", "absolute", "sign", "maximum", "minimum", "floor", "ceil", "rint", "round"}
)

#: Of floats, in their own precision: those that are worth a form for float32.
IN_PRECISION: dict[str, Function] = {
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "sigmoid": exponential.sigmoid,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "tanh": hyperbolic.tanh,
    "erf": error_function.erf,
    "power": power.power,
    "truncate_mod": remainders.truncate_mod,
    "remainder": remainders.remainder,
    "floor_divide": remainders.floor_divide,
}

#: Of floats, always computed as doubles: they are rare, and so float32 has hardly an error.
IN_DOUBLE: dict[str, Function] = {
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
}

#: Where a dtype has a function of its own.
OF_ONE_DTYPE: dict[tuple[str, str], Function] = {
    ("sign", "bfloat16"): rounding.sign_with_zero,
    ("maximum", "float16"): rounding.first_maximum,
    ("minimum", "float16"): rounding.first_minimum,
}

#: From floats to bools.
TESTS: dict[str, Function] = {
    "is_nan": rounding.is_nan,
    "is_inf": rounding.is_inf,
    "is_finite": rounding.is_finite,
}

OF_INTEGERS: dict[str, Function] = {
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
OF_CHECKED_INTEGERS: dict[str, Function] = {
    "truncate_divide": divisions.truncate_divide,
    "truncate_mod": divisions.truncate_mod,
    "floor_divide": divisions.floor_divide,
    "remainder": divisions.remainder,
    "reciprocal": divisions.reciprocal,
    "power": divisions.power,
}

#: Of bools, by the instruction on their bits; `invert` and `logical_not` have one argument.
OF_BOOLS = {
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
NEGATIONS = frozenset({"logical_not", "invert"})

#: Predicates of floats and of integers. Only `not_equal` is true of a NaN.
COMPARISONS = {
    "equal": ("oeq", "eq"),
    "not_equal": ("une", "ne"),
    "less": ("olt", "lt"),
    "less_equal": ("ole", "le"),
    "greater": ("ogt", "gt"),
    "greater_equal": ("oge", "ge"),
}

OF_TWO = frozenset(
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
