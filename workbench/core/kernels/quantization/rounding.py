"""Floats moved to the values that few bits can hold: what quantising would make of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.quantization.ranges import Array, scalar
from workbench.core.kernels.support import invalid

# -- to integers and back, with one scale for positive and negative numbers -----------------------


def quantize_and_dequantize(
    input: Any, input_min: Any, input_max: Any, num_bits: Any, *, signed: bool, given: bool
) -> Array:
    """Floats as if they had been integers of ``num_bits`` in between.

    The range is given, or that of the values. Zero stays zero.
    """
    values = np.asarray(input)
    bits = int(num_bits)
    if not 0 < bits < (62 if signed else 63):
        raise invalid(f"num_bits is out of range: {bits} with signed_input_ {int(signed)}")
    kind = values.dtype.type
    if given:
        low, high = kind(input_min), kind(input_max)
        if not low <= high:
            raise invalid(f"Invalid range: input_min {low} > input_max {high}")
    elif not values.size:
        return values.copy()
    else:
        low, high = values.min(), values.max()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _rounded(values, low, high, bits, signed, given)


def _rounded(values: Array, low: Any, high: Any, bits: int, signed: bool, given: bool) -> Array:
    kind = values.dtype.type
    lowest = -(1 << (bits - 1)) if signed else 0
    highest = lowest + (1 << bits) - 1
    largest = np.finfo(values.dtype).max if values.dtype.kind == "f" else kind(3e38)
    by_low = kind(lowest) / low if lowest * low > 0 else largest
    by_high = kind(highest) / high if highest * high > 0 else largest
    if by_low < by_high:
        scale, step = by_low, low / kind(lowest)
        high = kind(highest) * step
    else:
        scale, step = by_high, high / kind(highest)
        low = kind(lowest) * step
    # A given range may not hold all values, a measured one does.
    inside = np.clip(values, low, high) if given else values
    return np.asarray(np.floor((inside - low) * scale + kind(0.5)) * step + low, values.dtype)


# -- to levels between a minimum and a maximum, as training for quantised networks does -----------


def _nudged(low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any]:
    """Ends moved so that zero is a level, and the distance of the levels; element by element."""
    first, last = np.float32(1 if narrow_range else 0), np.float32((1 << num_bits) - 1)
    low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = (high - low) / (last - first)
        zero = np.clip(np.floor(np.nan_to_num(first - low / scale) + np.float32(0.5)), first, last)
        return (first - zero) * scale, (last - zero) * scale, scale


def _checked_bits(num_bits: int) -> None:
    if not 2 <= num_bits <= 16:
        raise invalid(f"num_bits must be between 2 and 16, inclusive, got {num_bits}")


def _levels(inputs: Array, low: Any, high: Any, num_bits: int, narrow_range: bool) -> Array:
    """Every value moved to its nearest level; all zeros where the range is nothing but zero."""
    first, last, scale = _nudged(low, high, num_bits, narrow_range)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.floor((np.clip(inputs, first, last) - first) / scale + np.float32(0.5))
        result = steps * scale + first
    nothing = (np.asarray(low) == 0) & (np.asarray(high) == 0)
    return np.asarray(np.where(nothing, np.float32(0), result), np.float32)


def _between(
    inputs: Array, low: Any, high: Any, num_bits: int, narrow_range: bool
) -> tuple[Array, Array, Array]:
    """Where values are inside of a range, below it and above it."""
    first, last, _ = _nudged(low, high, num_bits, narrow_range)
    nothing = (np.asarray(low) == 0) & (np.asarray(high) == 0)
    inside = nothing | ((inputs >= first) & (inputs <= last))
    return inside, ~nothing & (inputs < first), ~nothing & (inputs > last)


def _constant_range(low: float, high: float) -> None:
    if not low < high:
        raise invalid(f"min has to be smaller than max, was: {low} >= {high}")


def fake_quant_with_min_max_args(
    inputs: Any, *, min: float, max: float, num_bits: int, narrow_range: bool
) -> Array:
    """Values moved to the levels of a range that does not change.

    >>> fake_quant_with_min_max_args([0.4, 9.0], min=0, max=3, num_bits=2, narrow_range=False)
    array([0., 3.], dtype=float32)
    """
    _constant_range(min, max)
    _checked_bits(num_bits)
    return _levels(np.asarray(inputs, np.float32), min, max, num_bits, narrow_range)


def fake_quant_with_min_max_args_gradient(
    gradients: Any, inputs: Any, *, min: float, max: float, num_bits: int, narrow_range: bool
) -> Array:
    """Gradients of the values inside of the range; zeros for those outside."""
    _constant_range(min, max)
    _checked_bits(num_bits)
    inside, _, _ = _between(np.asarray(inputs), min, max, num_bits, narrow_range)
    return np.asarray(np.asarray(gradients) * inside, np.float32)


def fake_quant_with_min_max_vars(
    inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> Array:
    """Values moved to the levels of a range."""
    _checked_bits(num_bits)
    values = np.asarray(inputs, np.float32)
    return _levels(values, scalar(min), scalar(max), num_bits, narrow_range)


def fake_quant_with_min_max_vars_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> tuple[Array, Any, Any]:
    """Gradients by the values, the minimum (of all below it) and the maximum (of all above it)."""
    _checked_bits(num_bits)
    grads, values = np.asarray(gradients), np.asarray(inputs)
    _same_shape(grads, values)
    inside, below, above = _between(values, scalar(min), scalar(max), num_bits, narrow_range)
    parts = np.asarray(grads * inside, np.float32)
    return parts, np.float32(np.sum(grads * below)), np.float32(np.sum(grads * above))


def _same_shape(gradients: Array, inputs: Array) -> None:
    if gradients.shape != inputs.shape:
        raise invalid("gradient and input must be the same size")


def _channel_ends(inputs: Array, low: Any, high: Any) -> tuple[Array, Array]:
    ends = np.asarray(low, np.float32), np.asarray(high, np.float32)
    for end, name in zip(ends, ("min", "max"), strict=True):
        if end.shape != inputs.shape[-1:]:
            raise invalid(
                f"{name} has incorrect size, expected {inputs.shape[-1]} was {end.size}: there is "
                "one for each channel"
            )
    return ends


def fake_quant_with_min_max_vars_per_channel(
    inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> Array:
    """Values moved to the levels of the range of their channel, the last axis."""
    _checked_bits(num_bits)
    values = np.asarray(inputs, np.float32)
    return _levels(values, *_channel_ends(values, min, max), num_bits, narrow_range)


def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, *, num_bits: int, narrow_range: bool
) -> tuple[Array, Array, Array]:
    """Gradients by the values, and by the minima and maxima of all channels."""
    _checked_bits(num_bits)
    grads, values = np.asarray(gradients, np.float32), np.asarray(inputs, np.float32)
    _same_shape(grads, values)
    ends = _channel_ends(values, min, max)
    inside, below, above = _between(values, *ends, num_bits, narrow_range)
    outer = tuple(range(values.ndim - 1))
    return grads * inside, np.sum(grads * below, axis=outer), np.sum(grads * above, axis=outer)
