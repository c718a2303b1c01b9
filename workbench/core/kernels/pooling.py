"""Maximum and average pooling in two and three dimensions, and their gradients.

A window may extend over any axis but the batch, in any layout: the kernels walk the taps of the
window, each a slice of the input, so nothing is transposed, padded or gathered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.folding import (
    counts,
    disjoint,
    first_maxima,
    folded,
    output_shape,
    spread,
)
from workbench.core.kernels.masking import kept_where
from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import Array, Axis, channel_axis, window_axes


def max_pool(
    input: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
) -> Array:
    """The largest value of each window; a NaN is larger than everything.

    >>> image = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> max_pool(image, ksize=(1, 2, 2, 1), strides=(1, 2, 2, 1), padding="VALID")[0, ..., 0]
    array([[ 5.,  7.],
           [13., 15.]])

    Raises:
      InvalidArgumentError: a window over the batch, or one that does not fit into the input.
    """
    return folded(np.maximum, input, _axes(input.shape, ksize, strides, padding, data_format))


def max_pool_grad(
    orig_input: Array,
    orig_output: Array,
    grad: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
) -> Array:
    """The gradient of ``max_pool`` by its input: it goes to the first maximum of each window."""
    axes = _axes(orig_input.shape, ksize, strides, padding, data_format)
    _check_shape("orig_output", orig_output, output_shape(axes))
    _check_shape("grad", grad, output_shape(axes))
    grads = widen(grad)
    result = np.zeros(orig_input.shape, grads.dtype)
    apart = disjoint(axes)
    for outputs, inputs, first in first_maxima(orig_input, orig_output, axes):
        if apart:
            kept_where(first, grads[outputs], result[inputs])
        else:
            result[inputs] += kept_where(first, grads[outputs])
    return delivered(result, grad.dtype)


def max_pool_grad_grad(
    orig_input: Array,
    orig_output: Array,
    grad: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
) -> Array:
    """The gradient of ``max_pool_grad`` by its ``grad``: from each window, ``grad`` at its maximum.

    Here ``grad`` has the shape of the input.
    """
    axes = _axes(orig_input.shape, ksize, strides, padding, data_format)
    _check_shape("orig_output", orig_output, output_shape(axes))
    _check_shape("grad", grad, orig_input.shape)
    result = np.zeros(orig_output.shape, grad.dtype)
    for outputs, inputs, first in first_maxima(orig_input, orig_output, axes):
        # One tap of a window has its first maximum; a sum would turn -0 into 0.
        result[outputs] += kept_where(first, grad[inputs])
    return result


def max_pool_with_argmax(
    input: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    Targmax: Any = np.int64,
) -> tuple[Array, Array]:
    """``max_pool`` of an NHWC batch, and where in it each maximum is.

    The place of ``input[b, y, x, c]`` is ``((b * height + y) * width + x) * channels + c``.
    """
    axes = _axes(input.shape, ksize, strides, padding, "NHWC")
    output = folded(np.maximum, input, axes)
    places = np.arange(input.size, dtype=Targmax).reshape(input.shape)
    argmax = np.zeros(output.shape, Targmax)
    for outputs, inputs, first in first_maxima(input, output, axes):
        argmax[outputs] += kept_where(first, places[inputs])
    return output, argmax


def max_pool_grad_with_argmax(
    input: Array,
    grad: Array,
    argmax: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> Array:
    """The gradient of ``max_pool_with_argmax`` by its input: each ``grad`` goes to its place."""
    axes = _axes(input.shape, ksize, strides, padding, "NHWC")
    _check_shape("grad", grad, output_shape(axes))
    places = _places(argmax, grad.shape, input.size)
    grads = widen(grad)
    result = np.zeros(input.size, grads.dtype)
    np.add.at(result, places.reshape(-1), grads.reshape(-1))
    return delivered(result.reshape(input.shape), grad.dtype)


def max_pool_grad_grad_with_argmax(
    input: Array,
    grad: Array,
    argmax: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> Array:
    """The gradient of ``max_pool_grad_with_argmax`` by its ``grad``: the values at the places."""
    axes = _axes(input.shape, ksize, strides, padding, "NHWC")
    _check_shape("grad", grad, input.shape)
    return grad.reshape(-1)[_places(argmax, output_shape(axes), input.size)]


def avg_pool(
    value: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
) -> Array:
    """The mean of each window, over those of its taps that lie on the input."""
    axes = _axes(value.shape, ksize, strides, padding, data_format)
    result = folded(np.add, widen(value), axes)
    if result.size:
        result /= counts(axes, result.dtype)
    return delivered(result, value.dtype)


def avg_pool_grad(
    orig_input_shape: Array,
    grad: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NHWC",
) -> Array:
    """The gradient of ``avg_pool`` by its input: each window's is shared by its taps."""
    shape = tuple(np.asarray(orig_input_shape).tolist())
    axes = _axes(shape, ksize, strides, padding, data_format)
    _check_shape("grad", grad, output_shape(axes))
    if not grad.size:
        return np.zeros(shape, grad.dtype)
    wide = widen(grad)
    result = spread(wide / counts(axes, wide.dtype), axes)
    return delivered(result, grad.dtype)


def max_pool3d(
    input: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Array:
    """The largest value of each window of a batch of volumes."""
    return folded(np.maximum, input, _axes(input.shape, ksize, strides, padding, data_format))


def max_pool3d_grad(
    orig_input: Array,
    orig_output: Array,
    grad: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Array:
    """The gradient of ``max_pool3d`` by its input: it goes to the first maximum of each window."""
    return max_pool_grad(
        orig_input,
        orig_output,
        grad,
        ksize=ksize,
        strides=strides,
        padding=padding,
        data_format=data_format,
    )


def max_pool3d_grad_grad(
    orig_input: Array,
    orig_output: Array,
    grad: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Array:
    """The gradient of ``max_pool3d_grad`` by its ``grad``."""
    return max_pool_grad_grad(
        orig_input,
        orig_output,
        grad,
        ksize=ksize,
        strides=strides,
        padding=padding,
        data_format=data_format,
    )


def avg_pool3d(
    input: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Array:
    """The mean of each window of a batch of volumes."""
    return avg_pool(input, ksize=ksize, strides=strides, padding=padding, data_format=data_format)


def avg_pool3d_grad(
    orig_input_shape: Array,
    grad: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "NDHWC",
) -> Array:
    """The gradient of ``avg_pool3d`` by its input."""
    return avg_pool_grad(
        orig_input_shape,
        grad,
        ksize=ksize,
        strides=strides,
        padding=padding,
        data_format=data_format,
    )


def _axes(
    shape: Sequence[int],
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str,
) -> tuple[Axis, ...]:
    """The window along every axis of the input, the batch included."""
    channel_axis(data_format, len(shape))
    if len(ksize) != len(shape) or len(strides) != len(shape):
        raise invalid(
            f"ksize and strides must have {len(shape)} numbers for {data_format}, "
            f"got {tuple(ksize)} and {tuple(strides)}"
        )
    if ksize[0] != 1 or strides[0] != 1:
        raise invalid(
            "pooling over the batch is not possible: ksize and strides must begin with 1, "
            f"got {tuple(ksize)} and {tuple(strides)}"
        )
    return window_axes(shape, ksize, strides, (1,) * len(shape), padding)


def _check_shape(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise invalid(f"{name} must have the shape {shape}, got {array.shape}")


def _places(argmax: Array, shape: tuple[int, ...], size: int) -> Array:
    """``argmax``, once it is known to have ``shape`` and to lie within ``size`` values."""
    _check_shape("argmax", argmax, shape)
    if argmax.size and not (argmax.min() >= 0 and argmax.max() < size):
        raise invalid(
            f"argmax must lie between 0 and {size - 1}, the last place of the input, "
            f"got values from {argmax.min()} to {argmax.max()}"
        )
    return argmax
