"""Adding a bias to every channel, and the gradient of that."""

from __future__ import annotations

from math import prod

import numpy as np

from workbench.core.kernels.channel_sums import column_sums
from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import Array

# A row that the bias is repeated to: long enough for NumPy's inner loop to be worth its start.
_ROW = 1024


def bias_add(
    value: Array, bias: Array, *, data_format: str = "NHWC", out: Array | None = None
) -> Array:
    """``value`` with ``bias`` added along its channels: the last axis, or axis 1 with NCHW.

    >>> bias_add(np.zeros((2, 3)), np.array([1.0, 2.0, 3.0]))
    array([[1., 2., 3.],
           [1., 2., 3.]])

    Raises:
      InvalidArgumentError: ``bias`` is not a vector with one number per channel.
    """
    axis = _channel_axis(value, data_format)
    if bias.ndim != 1 or bias.shape[0] != value.shape[axis]:
        raise invalid(
            f"bias must be a vector of {value.shape[axis]} numbers, one per channel of the value "
            f"of shape {value.shape} ({data_format}), got the shape {bias.shape}"
        )
    if axis != value.ndim - 1:
        return np.add(value, bias.reshape(-1, *(1,) * (value.ndim - axis - 1)), out=out)
    repeats = _repeats(value.shape)
    if (
        repeats > 1
        and value.size
        and value.flags.c_contiguous
        and (out is None or out.flags.c_contiguous)
    ):
        if out is None:
            out = np.empty(value.shape, value.dtype)
        rows = (-1, repeats * bias.shape[0])
        np.add(value.reshape(rows), np.tile(bias, repeats), out=out.reshape(rows))
        return out
    return np.add(value, bias, out=out)


def bias_add_v1(value: Array, bias: Array, *, out: Array | None = None) -> Array:
    """``bias_add`` along the last axis."""
    return bias_add(value, bias, out=out)


def bias_add_grad(
    out_backprop: Array, *, data_format: str = "NHWC", out: Array | None = None
) -> Array:
    """The gradient of ``bias_add`` by its bias: the sum over everything but the channels."""
    axis = _channel_axis(out_backprop, data_format)
    channels = out_backprop.shape[axis]
    grads = widen(out_backprop)
    if axis == grads.ndim - 1:
        sums = column_sums(grads.reshape(prod(grads.shape[:-1]), channels))
    else:
        planes = grads.reshape(grads.shape[0], channels, -1)
        sums = planes.sum(axis=2, dtype=grads.dtype).sum(axis=0, dtype=grads.dtype)
    return delivered(sums, out_backprop.dtype, out)


def _channel_axis(value: Array, data_format: str) -> int:
    if value.ndim < 2:
        raise invalid(f"a value with channels has rank 2 or more, got the shape {value.shape}")
    return 1 if data_format.startswith("NC") else value.ndim - 1


def _repeats(shape: tuple[int, ...]) -> int:
    """How often to repeat a bias of ``shape[-1]`` so that it still divides into whole rows."""
    repeats = 1
    for size in reversed(shape[1:-1]):
        if not size or repeats * size * shape[-1] > _ROW:
            break
        repeats *= size
    return repeats
