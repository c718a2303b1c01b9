"""Derivatives by differences, for functions of one array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def derivative(function: Callable[[Array], Any], x: Array, step: float = 1e-6) -> Array:
    """The gradient of a real function; for complex x with the imaginary part's as imaginary."""
    result = np.zeros(x.shape, x.dtype)
    for direction in (1, 1j) if np.iscomplexobj(x) else (1,):
        for index in np.ndindex(*x.shape):
            high, low = x.copy(), x.copy()
            high[index] += step * direction
            low[index] -= step * direction
            slope = (function(high) - function(low)) / (2 * step)
            result[index] += slope * direction
    return result
