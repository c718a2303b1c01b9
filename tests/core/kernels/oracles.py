"""What the tests of window kernels compare with: plain loops and finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, Any]

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]

#: How far a result of each type may be from the float64 oracle, relative to the largest value.
TOLERANCE = {
    np.dtype(np.float16): 2e-3,
    np.dtype(ml_dtypes.bfloat16): 1.6e-2,
    np.dtype(np.float32): 1e-5,
    np.dtype(np.float64): 1e-12,
}


def assert_close(result: Array, expected: Array, dtype: Any = None) -> None:
    """``result`` has the dtype (float64 unless given) and the values of ``expected``."""
    dtype = np.dtype(np.float64 if dtype is None else dtype)
    assert result.dtype == dtype
    expected = np.asarray(expected, np.float64)
    assert result.shape == expected.shape
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    np.testing.assert_allclose(
        result.astype(np.float64), expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale
    )


def numeric_gradient(
    function: Callable[..., Array], inputs: list[Array], index: int, seed: Array, step: float = 1e-6
) -> Array:
    """The gradient of ``sum(function(*inputs) * seed)`` by ``inputs[index]``, by differences."""
    varied = [np.array(array, np.float64) for array in inputs]
    target = varied[index]
    gradient = np.zeros_like(target)
    for position in np.ndindex(*target.shape):
        kept = target[position]
        target[position] = kept + step
        above = float(np.sum(function(*varied) * seed))
        target[position] = kept - step
        below = float(np.sum(function(*varied) * seed))
        target[position] = kept
        gradient[position] = (above - below) / (2 * step)
    return gradient


def padding_before(size: int, taps: int, stride: int, dilation: int, padding: str) -> int:
    """TensorFlow's padding in front of the input: the smaller half, none with VALID."""
    if padding == "VALID":
        return 0
    outputs = math.ceil(size / stride)
    reach = dilation * (taps - 1) + 1
    return max(0, stride * (outputs - 1) + reach - size) // 2


def output_size(size: int, taps: int, stride: int, dilation: int, padding: str) -> int:
    """The count of windows along an axis, found by trying them one after the other."""
    if padding == "SAME":
        return math.ceil(size / stride)
    count = 0
    while count * stride + dilation * (taps - 1) < size:
        count += 1
    return count


def seen(
    sizes: tuple[int, ...],
    taps: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    padding: str,
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """Every (output position, tap, input position) that meet inside of the input, tap by tap."""
    numbers = list(zip(sizes, taps, strides, dilations, strict=True))
    outputs = [output_size(*axis, padding) for axis in numbers]
    before = [padding_before(*axis, padding) for axis in numbers]
    for output in np.ndindex(*outputs):
        for tap in np.ndindex(*taps):
            position = tuple(
                o * s + t * d - b
                for o, s, t, d, b in zip(output, strides, tap, dilations, before, strict=True)
            )
            if all(0 <= p < n for p, n in zip(position, sizes, strict=True)):
                yield output, tap, position
