"""Depthwise convolution and grey-scale dilation, and their gradients.

Both combine each channel with a window of its own only, so there is no matrix product to be had:
they walk the taps of the window over a few images at a time, which then stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from workbench.core.kernels.masking import Mask, kept_where
from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import (
    Array,
    Axis,
    channels_last,
    from_channels_last,
    spatial,
    tap_positions,
    tap_slices,
    window_axes,
)

# Values of the output that are worked on at a time.
_BLOCK = 1 << 18

Slices = tuple[slice, ...]


def depthwise_conv2d_native(
    input: Array,
    filter: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
) -> Array:
    """Correlate every channel with its own filters ``(height, width, in, multiplier)``.

    Channel ``c`` of the input makes the channels ``c * multiplier`` and following of the output.

    >>> image = np.ones((1, 2, 2, 3))
    >>> filter = np.arange(12.0).reshape(2, 2, 3, 1)
    >>> depthwise_conv2d_native(image, filter, strides=(1, 1, 1, 1), padding="VALID").tolist()
    [[[[18.0, 22.0, 26.0]]]]

    Raises:
      InvalidArgumentError: the channels of input and filter differ, or the window does not fit.
    """
    images = channels_last(input, data_format)
    axes = _axes(images.shape, filter.shape, strides, padding, data_format, dilations)
    images, taps = _repeated(images, filter.shape), _flat(filter)
    result = np.zeros((*images.shape[:1], *(a.output for a in axes), taps.shape[-1]), taps.dtype)
    for outputs, inputs, position in _steps(images.shape[0], axes, taps.shape[-1]):
        target = result[outputs]
        target += images[inputs] * _along_width(taps[position], target)
    return delivered(from_channels_last(result, data_format), input.dtype)


def depthwise_conv2d_native_backprop_input(
    input_sizes: Array,
    filter: Array,
    out_backprop: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
) -> Array:
    """The gradient of ``depthwise_conv2d_native`` by its input, whose shape is ``input_sizes``."""
    sizes = np.asarray(input_sizes).tolist()
    sizes.append(sizes.pop(1 if data_format == "NCHW" else -1))
    axes = _axes(sizes, filter.shape, strides, padding, data_format, dilations)
    grads = channels_last(out_backprop, data_format)
    grads = widen(_checked(grads, sizes[0], axes, filter.shape[2:]))
    taps = _flat(filter)
    spread = np.zeros((*sizes[:3], taps.shape[-1]), taps.dtype)
    for outputs, inputs, position in _steps(sizes[0], axes, taps.shape[-1]):
        target = spread[inputs]
        target += grads[outputs] * _along_width(taps[position], target)
    multiplier = filter.shape[3]
    result = spread[..., ::multiplier]
    for other in range(1, multiplier):
        result = result + spread[..., other::multiplier]
    return delivered(from_channels_last(result, data_format), out_backprop.dtype)


def depthwise_conv2d_native_backprop_filter(
    input: Array,
    filter_sizes: Array,
    out_backprop: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
) -> Array:
    """The gradient of ``depthwise_conv2d_native`` by its filter, of shape ``filter_sizes``."""
    images = channels_last(input, data_format)
    sizes = tuple(np.asarray(filter_sizes).tolist())
    axes = _axes(images.shape, sizes, strides, padding, data_format, dilations)
    grads = channels_last(out_backprop, data_format)
    grads = widen(_checked(grads, images.shape[0], axes, sizes[2:]))
    images = _repeated(images, sizes)
    result = np.zeros((*sizes[:2], images.shape[-1]), images.dtype)
    for outputs, inputs, position in _steps(images.shape[0], axes, images.shape[-1]):
        result[position] += np.einsum("nhwc,nhwc->c", images[inputs], grads[outputs])
    return delivered(result.reshape(sizes), input.dtype)


def dilation2d(
    input: Array,
    filter: Array,
    *,
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
) -> Array:
    """The largest ``input + filter`` over the taps of ``(height, width, channels)`` filters.

    Taps on the padding are left out. With a filter of zeros this is a maximum pool.
    """
    axes = _dilation_axes(input, filter, strides, rates, padding)
    return _dilated(input, filter, axes)


def dilation2d_backprop_input(
    input: Array,
    filter: Array,
    out_backprop: Array,
    *,
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
) -> Array:
    """The gradient of ``dilation2d`` by its input: it goes to the first of the largest taps."""
    axes = _dilation_axes(input, filter, strides, rates, padding)
    grads = widen(_checked(out_backprop, input.shape[0], axes, input.shape[3:]))
    result = np.zeros(input.shape, grads.dtype)
    for outputs, inputs, _, first in _largest_taps(input, filter, axes):
        result[inputs] += kept_where(first, grads[outputs])
    return delivered(result, out_backprop.dtype)


def dilation2d_backprop_filter(
    input: Array,
    filter: Array,
    out_backprop: Array,
    *,
    strides: Sequence[int],
    rates: Sequence[int],
    padding: str,
) -> Array:
    """The gradient of ``dilation2d`` by its filter: each output's goes to its first largest tap."""
    axes = _dilation_axes(input, filter, strides, rates, padding)
    grads = widen(_checked(out_backprop, input.shape[0], axes, input.shape[3:]))
    result = np.zeros(filter.shape, grads.dtype)
    for outputs, _, position, first in _largest_taps(input, filter, axes):
        result[position] += kept_where(first, grads[outputs]).sum(axis=(0, 1, 2))
    return delivered(result, out_backprop.dtype)


def _axes(
    image_shape: Sequence[int],
    filter_shape: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str,
    dilations: Sequence[int],
) -> tuple[Axis, ...]:
    """The windows of a depthwise convolution, from the channels-last shape of its input."""
    if len(image_shape) != 4 or len(filter_shape) != 4:
        raise invalid(
            "input and filter must have rank 4, "
            f"got the shapes {tuple(image_shape)} and {tuple(filter_shape)}"
        )
    if image_shape[-1] != filter_shape[2]:
        raise invalid(
            f"the input has {image_shape[-1]} channels but the filter of shape "
            f"{tuple(filter_shape)} is for {filter_shape[2]}"
        )
    return window_axes(
        image_shape[1:3],
        filter_shape[:2],
        spatial(strides, data_format, "strides"),
        spatial(dilations, data_format, "dilations"),
        padding,
    )


def _dilation_axes(
    input: Array, filter: Array, strides: Sequence[int], rates: Sequence[int], padding: str
) -> tuple[Axis, ...]:
    if input.ndim != 4 or filter.ndim != 3 or input.shape[3] != filter.shape[2]:
        raise invalid(
            "input must have rank 4 and filter rank 3, with equally many channels, "
            f"got the shapes {input.shape} and {filter.shape}"
        )
    return window_axes(
        input.shape[1:3],
        filter.shape[:2],
        spatial(strides, "NHWC", "strides"),
        spatial(rates, "NHWC", "rates"),
        padding,
    )


def _checked(grads: Array, batch: int, axes: Sequence[Axis], channels: Sequence[int]) -> Array:
    expected = (batch, *(axis.output for axis in axes), prod(channels))
    if grads.shape != expected:
        raise invalid(
            f"out_backprop must have the shape of the output, {expected} with the channels last, "
            f"got {grads.shape}"
        )
    return grads


def _repeated(images: Array, filter_shape: Sequence[int]) -> Array:
    """Images with each channel once per multiplier: every filter then has a channel to itself."""
    multiplier = filter_shape[3]
    return widen(images if multiplier == 1 else np.repeat(images, multiplier, axis=-1))


def _flat(filter: Array) -> Array:
    """The filter with one axis for channels and multipliers."""
    return widen(filter).reshape(*filter.shape[:2], -1)


def _along_width(tap: Array, target: Array) -> Array:
    """A tap repeated along the width: NumPy then takes a whole row at a time, not one pixel."""
    return np.tile(tap, (target.shape[2], 1))


def _steps(
    batch: int, axes: Sequence[Axis], channels: int
) -> Iterator[tuple[Slices, Slices, tuple[int, ...]]]:
    """For some images at a time, every tap: the outputs that have it, their inputs, its place."""
    size = prod(axis.output for axis in axes) * channels
    step = max(1, _BLOCK // max(1, size))
    for start in range(0, batch, step):
        images = slice(start, min(start + step, batch))
        for position in tap_positions(axes):
            slices = [tap_slices(axis, tap) for axis, tap in zip(axes, position, strict=True)]
            outputs = (images, *(part for part, _ in slices))
            inputs = (images, *(part for _, part in slices))
            yield outputs, inputs, position


def _dilated(input: Array, filter: Array, axes: Sequence[Axis]) -> Array:
    outputs_shape = (input.shape[0], *(axis.output for axis in axes), input.shape[3])
    integer = input.dtype.kind in "iu"
    least: Any = np.iinfo(input.dtype).min if integer else -np.inf
    result = np.full(outputs_shape, least, input.dtype)
    for outputs, inputs, position in _steps(input.shape[0], axes, input.shape[3]):
        target = result[outputs]
        np.maximum(target, input[inputs] + filter[position], out=target)
    return result


def _largest_taps(
    input: Array, filter: Array, axes: Sequence[Axis]
) -> Iterator[tuple[Slices, Slices, tuple[int, ...], Mask]]:
    """For every tap also: where it is the first to reach the output."""
    largest = _dilated(input, filter, axes)
    pending = np.ones(largest.shape, np.bool_)
    floating = input.dtype.kind not in "iu"
    any_nan = floating and bool(np.isnan(largest).any())
    for outputs, inputs, position in _steps(input.shape[0], axes, input.shape[3]):
        values = input[inputs] + filter[position]
        first: Mask = values == largest[outputs]
        if any_nan:
            first |= np.isnan(values)
        waiting = pending[outputs]
        first &= waiting
        waiting ^= first
        yield outputs, inputs, position, first
