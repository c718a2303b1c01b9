"""How far results may be from the true ones."""

from __future__ import annotations

#: The largest error of a function in units in the last place of its result, for float32 and for
#: float64; denormal results count in units of the least denormal. A correctly rounded result has an
#: error of at most 0.5. The tests hold the functions to these; what is not here is exact, or
#: rounded correctly step by step. float16 and bfloat16 have hardly more than the 0.5 of rounding.
MAXIMUM_ULP: dict[str, tuple[float, float]] = {
    "exp": (1.1, 1.1),
    "expm1": (1.6, 2.0),
    "log": (1.0, 1.0),
    "log1p": (1.0, 1.0),
    "sigmoid": (2.5, 2.5),
    "tanh": (2.6, 2.6),
    "erf": (1.2, 1.7),
    "erfc": (0.52, 3.2),
    "sin": (0.51, 0.8),
    "cos": (0.51, 0.8),
    "tan": (0.51, 2.1),
    "asin": (0.51, 2.2),
    "acos": (0.51, 1.1),
    "atan": (0.52, 1.5),
    "atan2": (0.52, 2.0),
    "sinh": (0.51, 1.8),
    "cosh": (0.51, 1.5),
    "asinh": (0.51, 1.9),
    "acosh": (0.51, 2.0),
    "atanh": (0.51, 2.0),
    "power": (0.52, 3.0),
}
