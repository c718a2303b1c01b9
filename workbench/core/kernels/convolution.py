"""Convolutions and their gradients in two and three dimensions, as matrix products.

The attributes are read here; the products themselves are in `correlation`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.kernels.correlation import correlate, filter_gradient, input_gradient
from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import (
    Array,
    Axis,
    channels_last,
    from_channels_last,
    spatial,
    window_axes,
)


def conv2d(
    input: Array,
    filter: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    out: Array | None = None,
) -> Array:
    """Correlate a batch of images with a ``(height, width, in, out)`` bank of filters.

    >>> image = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> conv2d(image, np.ones((2, 2, 1, 1)), strides=(1, 1, 1, 1), padding="VALID")[0, ..., 0]
    array([[ 8., 12.],
           [20., 24.]])

    Raises:
      InvalidArgumentError: the channels of input and filter differ, or the window does not fit.
    """
    return _forward(input, filter, strides, padding, data_format, dilations, out)


def conv2d_backprop_input(
    input_sizes: Array,
    filter: Array,
    out_backprop: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    out: Array | None = None,
) -> Array:
    """The gradient of ``conv2d`` by its input, whose shape is ``input_sizes``."""
    return _backward_input(
        input_sizes, filter, out_backprop, strides, padding, data_format, dilations, out
    )


def conv2d_backprop_filter(
    input: Array,
    filter_sizes: Array,
    out_backprop: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1),
    out: Array | None = None,
) -> Array:
    """The gradient of ``conv2d`` by its filter, whose shape is ``filter_sizes``."""
    return _backward_filter(
        input, filter_sizes, out_backprop, strides, padding, data_format, dilations, out
    )


def conv3d(
    input: Array,
    filter: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
    dilations: Sequence[int] = (1, 1, 1, 1, 1),
    out: Array | None = None,
) -> Array:
    """Correlate a batch of volumes with a ``(depth, height, width, in, out)`` bank of filters."""
    return _forward(input, filter, strides, padding, data_format, dilations, out)


def conv3d_backprop_input_v2(
    input_sizes: Array,
    filter: Array,
    out_backprop: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
    dilations: Sequence[int] = (1, 1, 1, 1, 1),
    out: Array | None = None,
) -> Array:
    """The gradient of ``conv3d`` by its input, whose shape is ``input_sizes``."""
    return _backward_input(
        input_sizes, filter, out_backprop, strides, padding, data_format, dilations, out
    )


def conv3d_backprop_filter_v2(
    input: Array,
    filter_sizes: Array,
    out_backprop: Array,
    *,
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
    dilations: Sequence[int] = (1, 1, 1, 1, 1),
    out: Array | None = None,
) -> Array:
    """The gradient of ``conv3d`` by its filter, whose shape is ``filter_sizes``."""
    return _backward_filter(
        input, filter_sizes, out_backprop, strides, padding, data_format, dilations, out
    )


def _forward(
    input: Array,
    filter: Array,
    strides: Sequence[int],
    padding: str,
    data_format: str,
    dilations: Sequence[int],
    out: Array | None,
) -> Array:
    images = channels_last(input, data_format)
    axes = _axes(images.shape, filter.shape, strides, padding, data_format, dilations)
    target = None
    if out is not None and out.dtype == input.dtype:
        target = channels_last(out, data_format)
    result = correlate(widen(images), widen(filter), axes, target)
    return delivered(from_channels_last(result, data_format), input.dtype, out)


def _backward_input(
    input_sizes: Array,
    filter: Array,
    out_backprop: Array,
    strides: Sequence[int],
    padding: str,
    data_format: str,
    dilations: Sequence[int],
    out: Array | None,
) -> Array:
    grads = channels_last(out_backprop, data_format)
    channel = 1 if data_format.startswith("NC") else -1
    sizes = np.asarray(input_sizes).tolist()
    sizes.append(sizes.pop(channel))
    axes = _axes(sizes, filter.shape, strides, padding, data_format, dilations)
    _check_gradient(grads, sizes[0], filter.shape[-1], axes)
    result = input_gradient(widen(filter), widen(grads), axes)
    return delivered(from_channels_last(result, data_format), out_backprop.dtype, out)


def _backward_filter(
    input: Array,
    filter_sizes: Array,
    out_backprop: Array,
    strides: Sequence[int],
    padding: str,
    data_format: str,
    dilations: Sequence[int],
    out: Array | None,
) -> Array:
    images = channels_last(input, data_format)
    grads = channels_last(out_backprop, data_format)
    sizes = np.asarray(filter_sizes).tolist()
    axes = _axes(images.shape, sizes, strides, padding, data_format, dilations)
    _check_gradient(grads, images.shape[0], sizes[-1], axes)
    result = filter_gradient(widen(images), widen(grads), axes)
    return delivered(result.reshape(sizes), input.dtype, out)


def _axes(
    image_shape: Sequence[int],
    filter_shape: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str,
    dilations: Sequence[int],
) -> tuple[Axis, ...]:
    """The windows of a convolution, from the channels-last shape of its input."""
    if len(filter_shape) != len(image_shape):
        raise invalid(
            f"filter must have rank {len(image_shape)} as the input has, "
            f"got the shape {tuple(filter_shape)}",
        )
    if image_shape[-1] != filter_shape[-2]:
        raise invalid(
            f"the input has {image_shape[-1]} channels but the filter of shape "
            f"{tuple(filter_shape)} expects {filter_shape[-2]}",
        )
    return window_axes(
        image_shape[1:-1],
        filter_shape[:-2],
        spatial(strides, data_format, "strides"),
        spatial(dilations, data_format, "dilations"),
        padding,
    )


def _check_gradient(grads: Array, batch: int, depth: int, axes: Sequence[Axis]) -> None:
    expected = (batch, *(axis.output for axis in axes), depth)
    if grads.shape != expected:
        raise invalid(
            f"out_backprop must have the shape of the convolution's output, {expected} "
            f"with the channels last, got {grads.shape}",
        )
