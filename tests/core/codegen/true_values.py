"""True values of the elementary functions, by mpmath and by NumPy in more precision than tested."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from tests.core.codegen.flat_functions import Array

_DIGITS = 40


def _elementwise(function: Callable[[float], float]) -> Callable[[Array], Array]:
    return lambda x: np.array([function(value) for value in x.tolist()])


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


#: Of float64, accurate enough for what is tested in float32.
IN_FLOAT64: dict[str, Callable[..., Any]] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "erf": _elementwise(math.erf),
    "erfc": _elementwise(math.erfc),
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "power": np.power,
    "atan2": np.arctan2,
}

_EXACTLY: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "power": mpmath.power,
    # mpmath fails for numbers beyond its own integers' range as floats.
    "erfc": lambda x: mpmath.erfc(max(-1000, min(x, 1000))),
}


def exactly(function: str, *arguments: float) -> Any:
    """The value with 40 digits; NaN where it is not real."""
    with mpmath.workdps(_DIGITS):
        compute = _EXACTLY.get(function) or getattr(mpmath, function)
        value = compute(*(mpmath.mpf(a) for a in arguments))
        return mpmath.nan if isinstance(value, mpmath.mpc) else value


def error_in_ulp(got: float, true: Any, dtype: str) -> float:
    """The distance from a true number, in units of the dtype's last place there."""
    digits, least = (24, -149) if dtype == "float32" else (53, -1074)
    with mpmath.workdps(_DIGITS):
        if not mpmath.isfinite(true):
            agree = math.isnan(got) if mpmath.isnan(true) else got == true
            return 0.0 if agree else math.inf
        exponent = mpmath.frexp(true)[1]
        unit = mpmath.ldexp(mpmath.mpf(1), max(exponent - digits, least))
        largest = (1 - mpmath.mpf(2) ** -digits) * mpmath.mpf(2) ** (128 if digits == 24 else 1024)
        if math.isinf(got):
            # Infinity stands for what is rounded beyond the largest number.
            return float(max(0, largest - abs(true)) / unit)
        return math.inf if math.isnan(got) else float(abs(mpmath.mpf(got) - true) / unit)


def errors_in_ulp(got: Array, true: Array) -> Array:
    """Distances of float32 results from true float64 numbers, in units in the last place."""
    exponents = np.frexp(true)[1]
    units = np.ldexp(1.0, np.maximum(exponents - 24, -149))
    limit = float(np.finfo(np.float32).max)
    with np.errstate(all="ignore"):
        beyond = np.isinf(got) & (np.abs(true) >= limit) & (np.signbit(got) == np.signbit(true))
        errors = np.abs(got.astype(np.float64) - true) / units
    agree = beyond | (np.isnan(got) & np.isnan(true))
    return np.asarray(np.where(agree, 0.0, np.where(np.isnan(errors), np.inf, errors)))
