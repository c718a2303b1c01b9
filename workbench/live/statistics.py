"""Statistics of a tensor's value that cost about as much for a large one as for a small one.

Mean, deviation and zeros of a large array come from some thousands of its elements, at a prime
distance from each other, so that no axis of the array is in step with them. Elements that are not
finite are counted exactly, whatever the size: one among millions is just what is looked for.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

_Array = np.ndarray[Any, Any]
_Floats = np.ndarray[Any, np.dtype[np.float64]]

#: Arrays up to this many elements are taken whole.
SAMPLED = 4096


class Statistics(NamedTuple):
    """Statistics of the finite elements, and how many are not finite.

    `zeros` is the share of elements that are zero. Mean and deviation are NaN where no element is
    finite. Complex numbers count by their magnitude.
    """

    mean: float
    deviation: float
    zeros: float
    nonfinite: int


def statistics(value: Any) -> Statistics | None:
    """The statistics of an array or scalar; None for what holds no numbers, or none at all.

    >>> statistics(np.array([0.0, 2.0, np.nan, 4.0]))
    Statistics(mean=2.0, deviation=1.632993161855452, zeros=0.25, nonfinite=1)
    >>> statistics(np.array([b"text"])) is None
    True
    """
    array = np.asarray(value)
    if not has_numbers(array.dtype) or not array.size:
        return None
    if not array.ndim and array.dtype.kind != "c":
        return _of_number(float(array[()]))
    return _of_array(array)


#: Sums of what is not finite, or too large, are no reason to warn.
_quietly = np.errstate(all="ignore")


@_quietly
def _of_array(array: _Array) -> Statistics:
    distinct = without_repetition(array)
    values = sample(distinct)
    taken = values.size
    zeros = (taken - int(np.count_nonzero(values))) / taken
    total = float(np.add.reduce(values))
    nonfinite = 0
    if not math.isfinite(total):
        values = values[np.isfinite(values)]
        total = float(np.add.reduce(values))
        nonfinite = taken - values.size
    if taken < distinct.size:
        nonfinite = count_nonfinite(distinct)
    nonfinite *= array.size // distinct.size
    if not values.size:
        return Statistics(math.nan, math.nan, zeros, nonfinite)
    mean = total / values.size
    values -= mean
    values *= values
    deviation = math.sqrt(float(np.add.reduce(values)) / values.size)
    return Statistics(mean, deviation, zeros, nonfinite)


def _of_number(number: float) -> Statistics:
    if math.isfinite(number):
        return Statistics(number, 0.0, float(number == 0), 0)
    return Statistics(math.nan, math.nan, 0.0, 1)


@functools.cache
def has_numbers(dtype: np.dtype[Any]) -> bool:
    """True for booleans and numbers, those of eight and sixteen bits included."""
    # Types that NumPy does not know, such as bfloat16, are of the kind of raw bytes.
    return dtype.kind in "biufc" or (dtype.kind == "V" and dtype.type is not np.void)


def without_repetition(array: _Array) -> _Array:
    """The array without the copies of itself that broadcasting made of it."""
    if 0 not in array.strides:
        return array
    return array[tuple(slice(0, None if stride else 1) for stride in array.strides)]


@_quietly
def sample(array: _Array) -> _Floats:
    """A new array of float64 with all elements, or with some thousands of a large array."""
    step = _distance(array.size)
    if array.flags.c_contiguous:
        flat: Any = array.reshape(-1)
    else:
        order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        ordered = array.transpose(order)
        # What has gaps would be copied as a whole only to take a few elements of it.
        flat = ordered.reshape(-1) if ordered.flags.c_contiguous else array.flat
    taken: _Array = flat[::step]
    return (np.abs(taken) if array.dtype.kind == "c" else taken).astype(np.float64)


@functools.lru_cache(1024)
def _distance(size: int) -> int:
    """How far apart the elements of a sample are: 1, or a prime."""
    number = -(-size // SAMPLED)
    while number > 1 and any(number % d == 0 for d in range(2, math.isqrt(number) + 1)):
        number += 1
    return max(1, number)


@_quietly
def count_nonfinite(array: _Array) -> int:
    """How many elements are NaN or infinite.

    >>> count_nonfinite(np.array([1.0, np.inf, np.nan]))
    2
    """
    kind = array.dtype.kind
    if kind in "biu":
        return 0
    # A sum is finite where all its terms are, unless it overflows: only then each is looked at.
    wide = np.float32 if kind in "fV" and array.dtype.itemsize < 4 else None
    if np.isfinite(np.add.reduce(array, axis=None, dtype=wide)):
        return 0
    return array.size - int(np.count_nonzero(np.isfinite(array)))
