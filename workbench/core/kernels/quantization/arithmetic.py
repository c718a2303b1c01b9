"""Sums and products of small integers that stand for real numbers, in wider integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.quantization.conversion import Quantized
from workbench.core.kernels.quantization.ranges import (
    Array,
    Range,
    from_reals,
    limits,
    ordered,
    product_range,
    scalar,
    to_reals,
    zero_point,
)
from workbench.core.kernels.support import invalid, spelled


def centred(array: Any, bounds: Range) -> Array:
    """The integers with zero where they stand for 0.0, as float64, which holds products exactly."""
    integers = np.asarray(array)
    return integers.astype(np.float64) - zero_point(*bounds, integers.dtype)


def narrowed(values: Any, dtype: Any) -> Array:
    """Whole numbers in an integer type, those that do not fit cut to its limits."""
    result: Array = np.clip(values, *limits(dtype)).astype(dtype)
    return result


def quantized_mat_mul(
    a: Any,
    b: Any,
    min_a: Any,
    max_a: Any,
    min_b: Any,
    max_b: Any,
    *,
    transpose_a: bool,
    transpose_b: bool,
    Toutput: Any,
) -> Quantized:
    """The product of two matrices."""
    first, second = np.asarray(a), np.asarray(b)
    ranges = ordered(min_a, max_a, "a"), ordered(min_b, max_b, "b")
    for i, matrix in enumerate((first, second)):
        if matrix.ndim != 2:
            raise invalid(f"In[{i}] is not a matrix: it has shape {spelled(matrix.shape)}")
    left = centred(first.T if transpose_a else first, ranges[0])
    right = centred(second.T if transpose_b else second, ranges[1])
    if left.shape[1] != right.shape[0]:
        raise invalid(
            f"Matrix size-compatible: In[0]: {spelled(first.shape)}, In[1]: {spelled(second.shape)}"
        )
    bounds = product_range(ranges[0], first.dtype, ranges[1], second.dtype, Toutput)
    return narrowed(left @ right, Toutput), *bounds


def _broadcast_shapes(x: Array, y: Array) -> None:
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        raise invalid(f"Incompatible shapes: {spelled(x.shape)} vs. {spelled(y.shape)}") from None


def quantized_mul(
    x: Any, y: Any, min_x: Any, max_x: Any, min_y: Any, max_y: Any, *, Toutput: Any
) -> Quantized:
    """Products, element by element, with broadcasting."""
    first, second = np.asarray(x), np.asarray(y)
    ranges = ordered(min_x, max_x, "x"), ordered(min_y, max_y, "y")
    _broadcast_shapes(first, second)
    product = centred(first, ranges[0]) * centred(second, ranges[1])
    bounds = product_range(ranges[0], first.dtype, ranges[1], second.dtype, Toutput)
    return narrowed(product, Toutput), *bounds


def _sum(x: Array, y: Array, ranges: tuple[Range, Range], largest: Any, dtype: Any) -> Quantized:
    """The sum in the range from -largest to largest."""
    low, high = np.float32(-largest), np.float32(largest)
    parts = [
        from_reals(to_reals(array, *bounds), low, high, dtype).astype(np.int64)
        - zero_point(low, high, dtype)
        for array, bounds in zip((x, y), ranges, strict=True)
    ]
    return narrowed(parts[0] + parts[1] + zero_point(low, high, dtype), dtype), low, high


def quantized_add(
    x: Any, y: Any, min_x: Any, max_x: Any, min_y: Any, max_y: Any, *, Toutput: Any
) -> Quantized:
    """Sums, element by element, with broadcasting."""
    first, second = np.asarray(x), np.asarray(y)
    ranges = ordered(min_x, max_x, "x"), ordered(min_y, max_y, "y")
    _broadcast_shapes(first, second)
    ends = abs(min(ranges[0][0], ranges[1][0])), abs(max(ranges[0][1], ranges[1][1]))
    return _sum(first, second, ranges, max(ends) * np.float32(1 << 14), Toutput)


def quantized_bias_add(
    input: Any,
    bias: Any,
    min_input: Any,
    max_input: Any,
    min_bias: Any,
    max_bias: Any,
    *,
    out_type: Any,
) -> Quantized:
    """Sums with one number for each channel, the last axis."""
    values, biases = np.asarray(input), np.asarray(bias)
    if values.ndim < 2:
        raise invalid(f"Input tensor must be at least 2D: {spelled(values.shape)}")
    if biases.ndim != 1:
        raise invalid(f"Biases must be 1D: {spelled(biases.shape)}")
    if biases.shape != values.shape[-1:]:
        raise invalid(
            "Must provide as many biases as the last dimension of the input tensor: "
            f"{spelled(biases.shape)} vs. {spelled(values.shape)}"
        )
    ranges = (scalar(min_input), scalar(max_input)), (scalar(min_bias), scalar(max_bias))
    ends = [end for low, high in ranges for end in (-low, high)]
    return _sum(values, biases, ranges, max(ends) * np.float32(1 << 17), out_type)
