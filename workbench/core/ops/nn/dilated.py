"""Convolutions with holes between the taps, and the general `convolution`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.nn.convolution import conv1d, conv2d, conv2d_transpose
from workbench.core.ops.nn.convolution3d import conv3d
from workbench.core.ops.nn.window_shapes import arranged, channel_axis

_FORMATS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}
_ALSO_ACCEPTED = {1: ("NHWC", "NCHW"), 2: (), 3: ()}


def convolution(
    input: Any,
    filter: Any = None,
    padding: str | None = None,
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Convolves `input` [batch, spatial..., in] with `filter` [spatial..., in, out], in 1 to 3-D.

    `strides` and `dilation_rate` have one number for each spatial axis (1 without them); not both
    may be above 1. A `data_format` that starts with "NC" puts the channels second. Raises
    ValueError where ranks, channels or the length of an argument do not fit.

    >>> import workbench as tf
    >>> row = tf.reshape(tf.range(5.0), [1, 5, 1])
    >>> tf.nn.convolution(
    ...     row, tf.ones([2, 1, 1]), "VALID", dilation_rate=[3]
    ... ).eval().ravel().tolist()
    [3.0, 5.0]
    """
    filter = filters if filter is None else filter
    with name_scope(name, "convolution", [input, filter]) as scope:
        input = convert_to_tensor(input, name="input")
        filter = convert_to_tensor(filter, name="filter", dtype=input.dtype.base_dtype)
        count = _spatial_rank(input.shape, filter.shape)
        _check_channels(input.shape, filter.shape, data_format)
        strides, rate = strides_and_rate(
            count, strides, dilation_rate if dilations is None else dilations
        )
        if count not in _FORMATS:
            raise ValueError(f"A convolution has 1, 2 or 3 spatial axes, got {count}")
        chosen = data_format or _FORMATS[count][0]
        accepted = (*_FORMATS[count], *_ALSO_ACCEPTED[count])
        if chosen not in accepted:
            raise ValueError(
                f"data_format must be {_FORMATS[count][0]!r} or {_FORMATS[count][1]!r} with "
                f"{count} spatial axes, got {chosen!r}"
            )
        steps = [int(e) for e in arranged(1, strides, 1, chosen) if isinstance(e, int)]
        holes = [int(e) for e in arranged(1, rate, 1, chosen) if isinstance(e, int)]
        if count == 1:
            return conv1d(input, filter, steps, padding, None, chosen, scope, dilations=holes)
        if count == 2:
            return conv2d(input, filter, steps, padding, None, chosen, holes, scope)
        return conv3d(input, filter, steps, padding, chosen, holes, scope)


def _spatial_rank(image: TensorShape, bank: TensorShape) -> int:
    rank = bank.ndims if bank.ndims is not None else image.ndims
    if rank is None:
        raise ValueError("rank of input or filter must be known")
    for shape, what in ((image, "input"), (bank, "filter")):
        if shape.ndims not in (None, rank):
            raise ValueError(f"{what} tensor must have rank {rank}, got {shape}")
    return rank - 2


def _check_channels(image: TensorShape, bank: TensorShape, data_format: str | None) -> None:
    if image.ndims is None or bank.ndims is None:
        return
    channels = image[channel_axis(image.ndims, data_format)]
    if not channels.is_compatible_with(bank[bank.ndims - 2]):
        raise ValueError(
            "number of input channels does not match corresponding dimension of filter, "
            f"{channels} != {bank[bank.ndims - 2]}"
        )


def strides_and_rate(
    count: int, strides: Any, dilation_rate: Any
) -> tuple[Sequence[int], Sequence[int]]:
    """Strides and dilation rates for `count` spatial axes; ValueError where they do not fit."""
    rate = _checked(count, dilation_rate, "dilation_rate")
    steps = _checked(count, strides, "strides")
    if max(steps, default=1) > 1 and max(rate, default=1) > 1:
        raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
    return steps, rate


def _checked(count: int, values: Any, what: str) -> list[int]:
    if values is None:
        return [1] * count
    sizes = [int(v) for v in values] if hasattr(values, "__iter__") else [int(values)] * count
    if len(sizes) != count:
        raise ValueError(f"len({what})={len(sizes)} but should be {count}")
    if min(sizes, default=1) < 1:
        raise ValueError(f"all values of {what} must be positive, got {sizes}")
    return sizes


def atrous_conv2d(
    value: Any, filters: Any, rate: int, padding: str, name: str | None = None
) -> Tensor:
    """`conv2d` of stride 1 with `rate` - 1 holes between the taps of `filters`.

    >>> import workbench as tf
    >>> image = tf.reshape(tf.range(9.0), [1, 3, 3, 1])
    >>> tf.nn.atrous_conv2d(image, tf.ones([2, 2, 1, 1]), 2, "VALID").eval().ravel().tolist()
    [16.0]
    """
    rates = np.broadcast_to(rate, (2,)).tolist()
    return convolution(value, filters, padding, dilation_rate=rates, name=name)


def atrous_conv2d_transpose(
    value: Any,
    filters: Any,
    output_shape: Any,
    rate: int,
    padding: str,
    name: str | None = None,
) -> Tensor:
    """The transpose of `atrous_conv2d`; its result has the shape `output_shape` (int32 [4])."""
    with name_scope(name, "atrous_conv2d_transpose", [value, filters, output_shape]) as scope:
        value = convert_to_tensor(value, name="value")
        filters = convert_to_tensor(filters, name="filters", dtype=value.dtype.base_dtype)
        if not value.shape[3].is_compatible_with(filters.shape[3]):
            raise ValueError(
                "value's input channels does not match filters' input channels, "
                f"{value.shape[3]} != {filters.shape[3]}"
            )
        if rate < 1:
            raise ValueError(f"rate {rate} cannot be less than one")
        return conv2d_transpose(
            value, filters, output_shape, 1, padding, name=scope, dilations=rate
        )
