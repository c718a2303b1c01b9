"""From floats to small integers, back, and from one range to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.quantization.ranges import (
    Array,
    from_reals,
    limits,
    round_away,
    scalar,
    to_reals,
)
from workbench.core.kernels.support import invalid

Quantized = tuple[Array, np.float32, np.float32]


def _half_range(dtype: Any) -> np.float32:
    """What is added to signed integers to make them start from zero."""
    lowest, highest = limits(dtype)
    return np.float32((highest - lowest + 1) / 2) if lowest else np.float32(0)


def _spread(low: np.float32, high: np.float32) -> tuple[np.float32, np.float32]:
    """A range that holds zero, and whose ends are not too near each other."""
    if high < low:
        raise invalid("input_max_range must be larger than input_min_range.")
    nearest = max(np.float32(1), abs(low), abs(high)) / np.float32(100)
    first = min(np.float32(0), low)
    return first, max(np.float32(0), high, np.float32(first + nearest))


def _clipped(values: Array, dtype: Any) -> Array:
    """Whole numbers as integers of a type."""
    return np.clip(values.astype(np.float64), *limits(dtype)).astype(dtype)


def quantize_v2(
    input: Any, min_range: Any, max_range: Any, *, T: Any, mode: str, round_mode: str
) -> Quantized:
    """Floats as integers of a type, and the range that these then stand for."""
    values = np.asarray(input, np.float32)
    if round_mode == "HALF_TO_EVEN" and mode != "SCALED":
        raise invalid(
            f"Round mode 'HALF_TO_EVEN' only supported for mode 'SCALED', but mode is '{mode}'."
        )
    low, high = _spread(scalar(min_range), scalar(max_range))
    if mode == "MIN_FIRST":
        return from_reals(values, low, high, T), low, high
    lowest, highest = limits(T)
    if mode == "MIN_COMBINED":
        scale = np.float32((highest - lowest) / np.float64(high - low))
        moved = (np.clip(values, low, high) - low) * scale - _half_range(T)
        return _clipped(round_away(moved), T), low, high
    scale = _symmetric_scale(low, high, lowest, highest)
    low, high = np.float32(lowest / scale), np.float32(highest / scale)
    scaled = np.clip(values, low, high) * scale
    rounded = np.rint(scaled) if round_mode == "HALF_TO_EVEN" else round_away(scaled)
    return _clipped(rounded, T), low, high


def _symmetric_scale(low: Any, high: Any, lowest: int, highest: int) -> np.float32:
    """The largest factor that takes both ends of a range to no more than those of the integers."""
    sides = [(lowest, low), (highest, high)]
    return min(
        np.float32(integer / end) if integer * end > 0 else np.finfo(np.float32).max
        for integer, end in sides
    )


def dequantize(input: Any, min_range: Any, max_range: Any, *, mode: str) -> Array:
    """The float32 values that integers stand for.

    >>> dequantize(np.array([0, 255], np.uint8), 0.0, 2.0, mode="MIN_COMBINED").tolist()
    [0.0, 2.0]
    """
    integers = np.asarray(input)
    low, high = scalar(min_range), scalar(max_range)
    if mode == "MIN_FIRST":
        return to_reals(integers, low, high)
    lowest, highest = limits(integers.dtype)
    if mode == "MIN_COMBINED":
        scale = np.float32((high - low) / np.float32(highest - lowest))
        return (integers.astype(np.float32) + _half_range(integers.dtype)) * scale + low
    scale = np.float32(high / np.float32(highest))
    if lowest:
        scale = max(np.float32(low / np.float32(lowest)), scale)
    return integers.astype(np.float32) * scale


# -- from one range to another -------------------------------------------------------------------


def requantize(
    input: Any,
    input_min: Any,
    input_max: Any,
    requested_output_min: Any,
    requested_output_max: Any,
    *,
    out_type: Any,
) -> Quantized:
    """The integers of another type that stand, in another range, for the same values."""
    low, high = scalar(requested_output_min), scalar(requested_output_max)
    if not low <= 0:
        raise invalid(f"requested_output_min must be <= 0, but got {low}")
    if not high >= low:
        raise invalid(
            f"requested_output_max must be >= requested_output_min, but got {high} and {low}"
        )
    values = to_reals(input, scalar(input_min), scalar(input_max))
    return from_reals(values, low, high, out_type), low, high


def requantization_range(
    input: Any, input_min: Any, input_max: Any
) -> tuple[np.float32, np.float32]:
    """The range of the values that occur, with zero in it."""
    integers = np.asarray(input)
    lowest, highest = limits(integers.dtype)
    ends = np.array([integers.min(initial=highest), integers.max(initial=lowest)], integers.dtype)
    low, high = to_reals(ends, scalar(input_min), scalar(input_max))
    return min(np.float32(0), low), high


def quantize_down_and_shrink_range(
    input: Any, input_min: Any, input_max: Any, *, out_type: Any
) -> Quantized:
    """Integers of a narrower type, whose range is that of the values that occur."""
    low, high = requantization_range(input, input_min, input_max)
    values = to_reals(input, scalar(input_min), scalar(input_max))
    return from_reals(values, low, high, out_type), low, high


def quantized_concat(
    concat_dim: Any, values: Sequence[Any], input_mins: Sequence[Any], input_maxes: Sequence[Any]
) -> Quantized:
    """Arrays one after the other, in a range that holds those of all."""
    arrays = [np.asarray(value) for value in values]
    lows, highs = [scalar(low) for low in input_mins], [scalar(high) for high in input_maxes]
    axis, rank = int(concat_dim), arrays[0].ndim
    if not 0 <= axis < rank:
        raise invalid(
            f"ConcatOp : Expected concatenating dimensions in the range [0, {rank}), but got {axis}"
        )
    _check_shapes(arrays, axis)
    low, high = min(np.float32(0), *lows), max(highs)
    if limits(arrays[0].dtype)[0]:
        high = max(abs(low), abs(high))
        low = -high
    parts = [
        array if (first, last) == (low, high)
        else from_reals(to_reals(array, first, last), low, high, array.dtype)
        for array, first, last in zip(arrays, lows, highs, strict=True)
    ]  # fmt: skip
    return np.concatenate(parts, axis), low, high


def _check_shapes(arrays: list[Array], axis: int) -> None:
    first = arrays[0].shape
    for i, array in enumerate(arrays):
        if array.ndim != len(first):
            what = "Ranks of all input tensors should match"
        elif array.shape[:axis] + array.shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            what = "Dimensions of inputs should match"
        else:
            continue
        raise invalid(
            f"ConcatOp : {what}: shape[0] = {list(first)} vs. shape[{i}] = {list(array.shape)}"
        )
