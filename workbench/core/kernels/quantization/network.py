"""Layers of networks on small integers: convolution, activation, pooling, normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.kernels import convolution, pooling, resizing
from workbench.core.kernels.quantization.arithmetic import centred, narrowed
from workbench.core.kernels.quantization.conversion import Quantized
from workbench.core.kernels.quantization.ranges import (
    from_reals,
    limits,
    product_range,
    scalar,
    to_reals,
)
from workbench.core.kernels.support import invalid, spelled


def quantized_conv2d(
    input: Any,
    filter: Any,
    min_input: Any,
    max_input: Any,
    min_filter: Any,
    max_filter: Any,
    *,
    out_type: Any,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int],
) -> Quantized:
    """Images correlated with a bank of filters; padding stands for 0.0."""
    images, bank = np.asarray(input), np.asarray(filter)
    ranges = (scalar(min_input), scalar(max_input)), (scalar(min_filter), scalar(max_filter))
    found = convolution.conv2d(
        centred(images, ranges[0]),
        centred(bank, ranges[1]),
        strides=strides,
        padding=padding,
        dilations=dilations,
    )
    bounds = product_range(ranges[0], images.dtype, ranges[1], bank.dtype, out_type)
    return narrowed(found, out_type), *bounds


# -- activations ---------------------------------------------------------------------------------


def _clamped(features: Any, low: Any, high: Any, ceiling: Any, out_type: Any) -> Quantized:
    integers = np.asarray(features)
    bounds = scalar(low), scalar(high)
    if integers.dtype != out_type:
        raise invalid(f"The result has the type of the features, not {np.dtype(out_type).name}")
    smallest = from_reals(0.0, *bounds, integers.dtype)
    largest: Any = limits(integers.dtype)[1]
    if ceiling is not None:
        largest = from_reals(ceiling, *bounds, integers.dtype)
    return np.minimum(np.maximum(integers, smallest), largest).astype(integers.dtype), *bounds


def quantized_relu(
    features: Any, min_features: Any, max_features: Any, *, out_type: Any
) -> Quantized:
    """Negative numbers made zero."""
    return _clamped(features, min_features, max_features, None, out_type)


def quantized_relu6(
    features: Any, min_features: Any, max_features: Any, *, out_type: Any
) -> Quantized:
    """Numbers cut to 0 ... 6."""
    return _clamped(features, min_features, max_features, 6.0, out_type)


def quantized_relu_x(
    features: Any, max_value: Any, min_features: Any, max_features: Any, *, out_type: Any
) -> Quantized:
    """Numbers cut to 0 ... a maximum."""
    return _clamped(features, min_features, max_features, scalar(max_value), out_type)


# -- pooling -------------------------------------------------------------------------------------


def quantized_max_pool(
    input: Any,
    min_input: Any,
    max_input: Any,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> Quantized:
    """The largest number of each window."""
    found = pooling.max_pool(np.asarray(input), ksize=ksize, strides=strides, padding=padding)
    return found, scalar(min_input), scalar(max_input)


def quantized_avg_pool(
    input: Any,
    min_input: Any,
    max_input: Any,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> Quantized:
    """The mean of each window, cut towards zero to an integer."""
    integers = np.asarray(input)
    exact = integers.astype(np.float64)
    mean = pooling.avg_pool(exact, ksize=ksize, strides=strides, padding=padding)
    # A mean is a sum divided by at most the window's size: rounding errors are far smaller.
    nudged = np.trunc(mean + np.copysign(1e-6, mean))
    return narrowed(nudged, integers.dtype), scalar(min_input), scalar(max_input)


# -- normalisation -------------------------------------------------------------------------------

_NORM_LIMIT = np.float32(1 << 20)


def quantized_batch_norm_with_global_normalization(
    t: Any,
    t_min: Any,
    t_max: Any,
    m: Any,
    m_min: Any,
    m_max: Any,
    v: Any,
    v_min: Any,
    v_max: Any,
    beta: Any,
    beta_min: Any,
    beta_max: Any,
    gamma: Any,
    gamma_min: Any,
    gamma_max: Any,
    *,
    out_type: Any,
    variance_epsilon: float,
    scale_after_normalization: bool,
) -> Quantized:
    """Channels made of mean 0 and variance 1 by what is given of them, then scaled and moved."""
    images = np.asarray(t)
    if images.ndim != 4:
        raise invalid(f"input must be 4-dimensional {spelled(images.shape)}")
    vectors = {}
    for name, array, low, high in (
        ("mean", m, m_min, m_max),
        ("var", v, v_min, v_max),
        ("beta", beta, beta_min, beta_max),
        ("gamma", gamma, gamma_min, gamma_max),
    ):
        vector = np.asarray(array)
        if vector.shape != images.shape[-1:]:
            raise invalid(
                f"{name} must be 1-dimensional, one number for each of {images.shape[-1]} "
                f"channels, got {spelled(vector.shape)}"
            )
        vectors[name] = to_reals(vector, scalar(low), scalar(high))
    scale = 1 / np.sqrt(vectors["var"] + np.float32(variance_epsilon))
    if scale_after_normalization:
        scale = scale * vectors["gamma"]
    offset = vectors["beta"] - vectors["mean"] * scale
    bounds = -_NORM_LIMIT, _NORM_LIMIT
    one, times, plus = (
        from_reals(value, *bounds, out_type).astype(np.int64) for value in (1.0, scale, offset)
    )
    inputs = from_reals(to_reals(images, scalar(t_min), scalar(t_max)), *bounds, out_type)
    product = inputs.astype(np.int64) * times
    quotient = np.sign(product) * (np.abs(product) // one)
    return narrowed(quotient + plus, out_type), *bounds


def quantized_instance_norm(
    x: Any,
    x_min: Any,
    x_max: Any,
    *,
    output_range_given: bool,
    given_y_min: float,
    given_y_max: float,
    variance_epsilon: float,
    min_separation: float,
) -> Quantized:
    """Each channel of each image made of mean 0 and variance 1."""
    images = np.asarray(x)
    low, high = scalar(x_min), scalar(x_max)
    if not low < high:
        raise invalid(f"input_min must be less than input_max : {low} >= {high}")
    if output_range_given and not given_y_min < given_y_max:
        raise invalid(f"given_y_min must be less than given_y_max : {given_y_min} >= {given_y_max}")
    if images.ndim != 4:
        raise invalid(f"x must be 4-dimensional, got {spelled(images.shape)}")
    scale = np.float64(high - low) / (limits(images.dtype)[1] - limits(images.dtype)[0])
    reals = images.astype(np.float64) * scale
    apart = reals - reals.mean(axis=(1, 2), keepdims=True)
    variance = np.square(apart).mean(axis=(1, 2), keepdims=True)
    normed = (apart / np.sqrt(variance + variance_epsilon)).astype(np.float32)
    if output_range_given:
        first, last = np.float32(given_y_min), np.float32(given_y_max)
    else:
        first, last = normed.min(), normed.max()
    if last - first < min_separation:
        last = np.float32(first + np.float32(min_separation))
    return from_reals(normed, first, last, images.dtype), first, last


def quantized_resize_bilinear(
    images: Any, size: Any, min: Any, max: Any, *, align_corners: bool
) -> Quantized:
    """Images in another size, linear between pixels; floats stay floats."""
    array = np.asarray(images)
    low, high = scalar(min), scalar(max)
    if array.dtype == np.float32:
        return resizing.resize_bilinear(array, size, align_corners=align_corners), low, high
    reals = to_reals(array, low, high)
    resized = resizing.resize_bilinear(reals, size, align_corners=align_corners)
    return from_reals(resized, low, high, array.dtype), low, high


def quantized_reshape(tensor: Any, shape: Any, input_min: Any, input_max: Any) -> Quantized:
    """The same integers in another shape."""
    array, sizes = np.asarray(tensor), np.asarray(shape).tolist()
    try:
        return array.reshape(sizes), scalar(input_min), scalar(input_max)
    except ValueError:
        raise invalid(f"{array.size} values do not fit the requested shape {sizes}") from None
