"""Histograms as summaries hold them: counts in buckets whose sizes grow by a tenth."""

from __future__ import annotations

import functools
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALLEST = 1e-12
_LARGEST = 1e20
_GROWTH = 1.1


class Histogram(NamedTuple):
    """The counts of values in buckets; a bucket ends before its limit."""

    min: float
    max: float
    num: float
    sum: float
    sum_squares: float
    limits: Floats
    counts: Floats


@functools.cache
def bucket_limits() -> Floats:
    """The ends of all buckets: from -1.8e308 to -1e-12, 0, and the same upwards.

    >>> limits = bucket_limits()
    >>> limits.size, float(limits[0] + limits[-1]), float(limits[limits.size // 2])
    (1551, 0.0, 0.0)
    """
    positive = []
    limit = _SMALLEST
    while limit < _LARGEST:
        positive.append(limit)
        # Multiplied one after the other: the same roundings as TensorFlow's, so the same limits.
        limit *= _GROWTH
    positive.append(sys.float_info.max)
    upper = np.array(positive)
    return np.concatenate([-upper[::-1], [0.0], upper])


def histogram(values: Floats) -> Histogram:
    """The histogram of finite values; runs of empty buckets are one.

    >>> found = histogram(np.array([1.0, 1.0, 5.0]))
    >>> found.num, found.sum_squares, [float(count) for count in found.counts]
    (3.0, 27.0, [0.0, 2.0, 0.0, 1.0, 0.0])
    """
    limits = bucket_limits()
    place = np.minimum(np.searchsorted(limits, values, side="right"), limits.size - 1)
    counts = np.bincount(place, minlength=limits.size).astype(np.float64)
    # Of a run of empty buckets only the last one is kept.
    empty = counts == 0.0
    kept = ~(empty & np.append(empty[1:], False))
    with np.errstate(over="ignore"):
        return Histogram(
            float(values.min(initial=sys.float_info.max)),
            float(values.max(initial=-sys.float_info.max)),
            float(values.size),
            float(values.sum()),
            float(np.square(values).sum()),
            limits[kept],
            counts[kept],
        )
