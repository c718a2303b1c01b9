"""Normalisation over neighbouring channels (LRN) and over batches, and the gradients of both."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from workbench.core.kernels.channel_sums import column_products, column_sums
from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import Array, channels_last, from_channels_last


def lrn(
    input: Array,
    *,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
) -> Array:
    """``input / (bias + alpha * s) ** beta``, with ``s`` the sum of squares of the neighbours.

    The neighbours of channel ``c`` are the channels ``c - depth_radius`` to ``c + depth_radius``.

    >>> lrn(np.array([[[[3.0, 4.0]]]]), depth_radius=1, bias=0.0)
    array([[[[0.6, 0.8]]]])
    """
    images = _four(input, "input", depth_radius)
    norm = _neighbour_sums(images * images, depth_radius)
    norm *= norm.dtype.type(alpha)
    norm += norm.dtype.type(bias)
    with np.errstate(all="ignore"):
        np.power(norm, norm.dtype.type(-beta), out=norm)
        norm *= images
    return delivered(norm, input.dtype)


def lrn_grad(
    input_grads: Array,
    input_image: Array,
    output_image: Array,
    *,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
) -> Array:
    """The gradient of ``lrn`` by its input."""
    grads = _four(input_grads, "input_grads", depth_radius)
    images, outputs = widen(input_image), widen(output_image)
    number = images.dtype.type
    norm = _neighbour_sums(images * images, depth_radius) * number(alpha) + number(bias)
    with np.errstate(all="ignore"):
        # Every neighbour's norm holds this channel's square.
        shared = _neighbour_sums(grads * outputs / norm, depth_radius)
        shared *= images
        shared *= number(-2 * alpha * beta)
        np.power(norm, number(-beta), out=norm)
        norm *= grads
        norm += shared
    return delivered(norm, input_image.dtype)


def fused_batch_norm(
    x: Array,
    scale: Array,
    offset: Array,
    mean: Array,
    variance: Array,
    *,
    epsilon: float = 1e-4,
    data_format: str = "NHWC",
    is_training: bool = True,
) -> tuple[Array, Array, Array, Array, Array]:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset`` for every channel.

    In training, the mean and variance of the batch are taken and the given ones ignored. Also
    serves FusedBatchNormV2: with ``x`` of a half type, all else is float32.

    Returns:
      ``y``; the mean and the variance (times ``n / (n - 1)`` in training) for moving averages; the
      mean and the plain variance as the gradient wants them.

    Raises:
      InvalidArgumentError: ``x`` has not rank 4, or a vector has not one number per channel.
    """
    rows = _rows(x, data_format)
    count, channels = rows.shape
    wanted = {"scale": scale, "offset": offset}
    _check_vectors(
        channels, **wanted if is_training else {**wanted, "mean": mean, "variance": variance}
    )
    number = scale.dtype.type
    with np.errstate(all="ignore"):
        if is_training:
            mean = column_sums(rows) / number(count)
            y = rows - mean
            variance = column_products(y, y) / number(count)
            unbiased = variance * number(count / max(count - 1, 1))
        else:
            y = rows - mean
            mean, variance = mean.copy(), variance.copy()
            unbiased = variance.copy()
        y *= scale / np.sqrt(variance + number(epsilon))
        y += offset
    return _like(y, x, data_format), mean, unbiased, mean.copy(), variance


def fused_batch_norm_grad(
    y_backprop: Array,
    x: Array,
    scale: Array,
    reserve_space_1: Array,
    reserve_space_2: Array,
    *,
    epsilon: float = 1e-4,
    data_format: str = "NHWC",
    is_training: bool = True,
) -> tuple[Array, Array, Array, Array, Array]:
    """The gradients of ``fused_batch_norm`` by ``x``, ``scale`` and ``offset``.

    The reserved spaces are its last two outputs (or its mean and variance when not in training).
    The last two results are empty: only other devices use them.
    """
    grads, rows = _rows(y_backprop, data_format), _rows(x, data_format)
    if grads.shape != rows.shape or y_backprop.shape != x.shape:
        raise invalid(f"y_backprop must have the shape of x, {x.shape}, got {y_backprop.shape}")
    count, channels = rows.shape
    _check_vectors(
        channels, scale=scale, reserve_space_1=reserve_space_1, reserve_space_2=reserve_space_2
    )
    number = scale.dtype.type
    with np.errstate(all="ignore"):
        inverse = number(1) / np.sqrt(reserve_space_2 + number(epsilon))
        centered = rows - reserve_space_1
        offset_backprop = column_sums(grads)
        scale_backprop = column_products(grads, centered) * inverse
        if is_training:
            # What a change of x does to the mean and the variance of the batch.
            centered *= -scale_backprop * inverse / number(count)
            centered += grads
            centered -= offset_backprop / number(count)
            centered *= scale * inverse
            x_backprop = centered
        else:
            x_backprop = np.multiply(grads, scale * inverse, out=centered)
    empty = np.zeros(0, scale.dtype)
    result = _like(x_backprop, x, data_format)
    return result, scale_backprop, offset_backprop, empty, empty.copy()


def batch_norm_with_global_normalization(
    t: Array,
    m: Array,
    v: Array,
    beta: Array,
    gamma: Array,
    *,
    variance_epsilon: float,
    scale_after_normalization: bool,
) -> Array:
    """``(t - m) / sqrt(v + variance_epsilon) * gamma + beta`` along the last axis.

    Without ``scale_after_normalization``, ``gamma`` is ignored.
    """
    _check_vectors(t.shape[-1], m=m, v=v, beta=beta, gamma=gamma)
    with np.errstate(all="ignore"):
        factor = 1 / np.sqrt(widen(v) + widen(v).dtype.type(variance_epsilon))
        if scale_after_normalization:
            factor = factor * widen(gamma)
        result = widen(t) - widen(m)
        result *= factor
        result += widen(beta)
    return delivered(result, t.dtype)


def batch_norm_with_global_normalization_grad(
    t: Array,
    m: Array,
    v: Array,
    gamma: Array,
    backprop: Array,
    *,
    variance_epsilon: float,
    scale_after_normalization: bool,
) -> tuple[Array, Array, Array, Array, Array]:
    """The gradients of ``batch_norm_with_global_normalization`` by all of its inputs in order.

    That by ``gamma`` is zero where ``gamma`` is ignored.
    """
    _check_vectors(t.shape[-1], m=m, v=v, gamma=gamma)
    rows = (prod(t.shape[:-1]), t.shape[-1])
    grads = widen(backprop).reshape(rows)
    with np.errstate(all="ignore"):
        inverse = 1 / np.sqrt(widen(v) + widen(v).dtype.type(variance_epsilon))
        factor = inverse * widen(gamma) if scale_after_normalization else inverse
        covariance = column_products(grads, widen(t).reshape(rows) - widen(m))
        total = column_sums(grads)
        dx = (grads * factor).reshape(t.shape)
        dv = covariance * factor * inverse * inverse * inverse.dtype.type(-0.5)
    dg = covariance * inverse if scale_after_normalization else np.zeros_like(total)
    dx, dm, dv, db, dg = (
        delivered(array, t.dtype) for array in (dx, -total * factor, dv, total, dg)
    )
    return dx, dm, dv, db, dg


def l2_loss(t: Array) -> Array:
    """Half the sum of squares, of a tensor of any shape.

    >>> l2_loss(np.array([[3.0, 4.0]]))
    array(12.5)
    """
    flat = widen(t).reshape(-1)
    with np.errstate(all="ignore"):
        total = np.asarray(np.dot(flat, flat) * flat.dtype.type(0.5))
    return delivered(total, t.dtype)


def _four(array: Array, name: str, depth_radius: int) -> Array:
    """``array`` in the type to compute in, once it is known to be a batch of images."""
    if array.ndim != 4:
        raise invalid(f"{name} must have rank 4, got the shape {array.shape}")
    if depth_radius < 0:
        raise invalid(f"depth_radius must be 0 or more, got {depth_radius}")
    return widen(array)


def _neighbour_sums(array: Array, radius: int) -> Array:
    """For every channel, the sum over the channels at most ``radius`` away.

    Neither running sums nor a product with a band of ones: the first lose digits, and both spread
    an infinity to channels that are not its neighbours.
    """
    result = array.copy()
    for distance in range(1, min(radius, array.shape[-1] - 1) + 1):
        result[..., distance:] += array[..., :-distance]
        result[..., :-distance] += array[..., distance:]
    return result


def _rows(x: Array, data_format: str) -> Array:
    """A batch of images as a matrix with a column for each channel, in the type to compute in."""
    if x.ndim != 4:
        raise invalid(f"x must have rank 4, got the shape {x.shape}")
    last = channels_last(x, data_format)
    return widen(last).reshape(prod(last.shape[:-1]), last.shape[-1])


def _like(rows: Array, x: Array, data_format: str) -> Array:
    """The inverse of `_rows`, in the dtype of ``x``."""
    shape: Sequence[int] = channels_last(x, data_format).shape
    return delivered(from_channels_last(rows.reshape(shape), data_format), x.dtype)


def _check_vectors(channels: int, **vectors: Array) -> None:
    for name, vector in vectors.items():
        if vector.shape != (channels,):
            raise invalid(
                f"{name} must be a vector of {channels} numbers, one per channel, "
                f"got the shape {vector.shape}"
            )
