"""Small integers and the ranges they stand for.

A range (low, high) in float32 goes with an array of small integers: the lowest integer of the type
stands for ``low``, the highest for ``high``, moved a little so that 0.0 is one of the values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import Floats, invalid

Array = np.ndarray[Any, Any]
Range = tuple[np.float32, np.float32]


def limits(dtype: Any) -> tuple[int, int]:
    """The lowest and the highest integer of a type."""
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def scalar(value: Any) -> np.float32:
    """The first element of an end of a range, which may come as an array of one."""
    flat = as_array(value).reshape(-1)
    if not flat.size:
        raise invalid("The ends of a range must not be empty")
    return np.float32(flat[0])


def round_away(values: Any) -> Floats:
    """To the nearest integer, halves away from zero, in float64.

    >>> round_away([0.5, 1.4, -2.5]).tolist()
    [1.0, 1.0, -3.0]
    """
    exact = np.asarray(values, np.float64)
    result: Floats = np.copysign(np.floor(np.abs(exact) + 0.5), exact)
    return result


def _steps(dtype: Any) -> int:
    """How many values a type has."""
    steps: int = 1 << (8 * np.dtype(dtype).itemsize)
    return steps


def unclamped(values: Any, low: np.float32, high: np.float32, dtype: Any) -> Floats:
    """The integers of a type that stand for values, in float64; beyond the type's own limits too.

    >>> unclamped(0.0, np.float32(0), np.float32(255), np.uint8)
    np.float64(0.0)
    """
    lowest, _ = limits(dtype)
    reals = np.asarray(values, np.float64)
    if low == high:
        return np.full(reals.shape, float(lowest))[()]
    scale = (_steps(dtype) - 1.0) / np.float64(high - low)
    return round_away(reals * scale) - round_away(np.float64(low) * scale) + lowest


def from_reals(values: Any, low: np.float32, high: np.float32, dtype: Any) -> Array:
    """The integers of a type that stand for values; those out of the range for its ends."""
    found = np.clip(unclamped(values, low, high, dtype), *limits(dtype))
    return np.asarray(found).astype(dtype)


def to_reals(array: Any, low: np.float32, high: np.float32) -> Array:
    """The float32 values that integers stand for.

    >>> to_reals(np.array([0, 255], np.uint8), np.float32(0), np.float32(2)).tolist()
    [0.0, 2.0]
    """
    integers = np.asarray(array)
    if low == high:
        return np.full(integers.shape, low, np.float32)
    lowest, _ = limits(integers.dtype)
    step = np.float64(high - low) / (_steps(integers.dtype) - 1.0)
    # The lowest value is a whole number of steps away from zero.
    start = np.float64(round_away(low / np.float32(step)) * np.float32(step))
    return np.asarray(start + (integers.astype(np.float64) - lowest) * step).astype(np.float32)


def zero_point(low: np.float32, high: np.float32, dtype: Any) -> int:
    """The integer that stands for 0.0."""
    return int(unclamped(0.0, low, high, dtype))


def product_range(a: Range, a_type: Any, b: Range, b_type: Any, c_type: Any) -> Range:
    """The range of integers that are products of integers, in a wider type."""
    step = _one_level(a, a_type) * _one_level(b, b_type)
    lowest, highest = limits(c_type)
    return np.float32(step * np.float32(lowest)), np.float32(step * np.float32(highest))


def _one_level(bounds: Range, dtype: Any) -> np.float32:
    """How far neighbouring integers are apart."""
    lowest, highest = limits(dtype)
    return np.float32((bounds[1] - bounds[0]) / np.float32(highest - lowest))


def ordered(low: Any, high: Any, name: str) -> Range:
    """The range of an argument; raises unless its maximum is larger than its minimum."""
    first, last = scalar(low), scalar(high)
    if not last > first:
        raise invalid(f"max_{name} must be larger than min_{name}.")
    return first, last
