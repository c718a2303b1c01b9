"""Convolutions that filter every channel by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_entries
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries, Entry, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import depthwise as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.nn import convolution_rules, window_shapes
from workbench.core.ops.nn.convolution import conv2d
from workbench.core.ops.nn.convolution_rules import attributes, naive, numbers
from workbench.core.ops.nn.window_shapes import spread

_ATTRS = (
    "T: {half, bfloat16, float, double}, strides: list(int), padding: {'SAME', 'VALID'}, "
    "explicit_paddings: list(int) = [], data_format: {'NHWC', 'NCHW'} = 'NHWC', "
    "dilations: list(int) = [1, 1, 1, 1]"
)


def _depth(channels: Entry, multiplier: Entry) -> Entry:
    if multiplier == 1:
        return channels
    if isinstance(channels, int) and isinstance(multiplier, int):
        return channels * multiplier
    return None


def _forward_shape(op: Any) -> list[Entries]:
    entries = convolution_rules.convolved_entries(op, 4)
    bank = window_shapes.entries_of(op.inputs[1], 4)
    image = window_shapes.entries_of(op.inputs[0], 4)
    axis = window_shapes.channel_axis(4, op.attrs["data_format"])
    channels = image[axis] if isinstance(image[axis], int) else bank[2]
    return [(*entries[:axis], _depth(channels, bank[3]), *entries[axis + 1 :])]


def _input_shape(op: Any) -> list[Entries]:
    sizes, bank, grad = op.inputs
    channels = shape_rules.with_rank(bank.entries, 4, "the filter")[2]
    batch = shape_rules.with_rank(grad.entries, 4, "out_backprop")[0]
    data_format = op.attrs["data_format"]
    known = window_shapes.arranged(batch, [None, None], channels, data_format)
    return [merge_shapes(constant_entries(sizes), known)]


def _filter_shape(op: Any) -> list[Entries]:
    image, sizes, _ = op.inputs
    axis = window_shapes.channel_axis(4, op.attrs["data_format"])
    channels = shape_rules.with_rank(image.entries, 4, "the input")[axis]
    return [merge_shapes(constant_entries(sizes), (None, None, channels, None))]


def _cost(op: Any) -> float:
    bank = window_shapes.entries_of(op.inputs[1], 4)
    return 2.0 * window_shapes.product(bank[:2]) * window_shapes.product(op.outputs[0].entries)


def _shared(op: Any) -> dict[str, Any]:
    return attributes(op, "strides", "padding", "data_format", "dilations")


def _by_input(sizes: Any, bank: Tensor, grad: Tensor, shared: dict[str, Any]) -> Tensor:
    return call(
        "DepthwiseConv2dNativeBackpropInput",
        None,
        input_sizes=sizes,
        filter=bank,
        out_backprop=grad,
        **shared,
    )


def _by_filter(image: Tensor, sizes: Any, grad: Tensor, shared: dict[str, Any]) -> Tensor:
    return call(
        "DepthwiseConv2dNativeBackpropFilter",
        None,
        input=image,
        filter_sizes=sizes,
        out_backprop=grad,
        **shared,
    )


def _forward(image: Tensor, bank: Tensor, shared: dict[str, Any]) -> Tensor:
    return call("DepthwiseConv2dNative", None, input=image, filter=bank, **shared)


def _gradient(op: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    image, bank = op.inputs
    shared = _shared(op)
    return (
        _by_input(api.shape(image), bank, dy, shared),
        _by_filter(image, api.shape(bank), dy, shared),
    )


def _input_gradient(op: Any, dx: Tensor) -> tuple[None, Tensor, Tensor]:
    _, bank, grad = op.inputs
    shared = _shared(op)
    return None, _by_filter(dx, api.shape(bank), grad, shared), _forward(dx, bank, shared)


def _filter_gradient(op: Any, dw: Tensor) -> tuple[Tensor, None, Tensor]:
    image, _, grad = op.inputs
    shared = _shared(op)
    return _by_input(api.shape(image), dw, grad, shared), None, _forward(image, dw, shared)


def _expected(image: Any, bank: Any, stride: int = 1, dilation: int = 1) -> Any:
    """Each channel convolved alone, and what comes out side by side."""
    parts = [
        naive(image[..., c : c + 1], bank[:, :, c : c + 1], stride, dilation)
        for c in range(image.shape[-1])
    ]
    return np.concatenate(parts, axis=-1)


_IMAGE, _BANK = numbers(1, 4, 5, 2), numbers(2, 3, 2, 2)
_ONES = [1] * 4

declare(
    "DepthwiseConv2dNative",
    inputs="input: T, filter: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=_forward_shape,
    kernel=kernels.depthwise_conv2d_native,
    gradient=_gradient,
    cost=_cost,
    samples=[
        sample(_IMAGE, _BANK, strides=_ONES, padding="VALID", want=_expected),
        sample(
            _IMAGE,
            numbers(2, 2, 2, 1),
            strides=[1, 2, 2, 1],
            padding="VALID",
            want=lambda x, w: _expected(x, w, stride=2),
        ),
        sample(
            _IMAGE,
            numbers(2, 2, 2, 1),
            strides=_ONES,
            padding="VALID",
            dilations=[1, 2, 2, 1],
            want=lambda x, w: _expected(x, w, dilation=2),
        ),
        sample(
            numbers(1, 2, 4, 5),
            _BANK,
            strides=_ONES,
            padding="SAME",
            data_format="NCHW",
            want=lambda x, w: np.moveaxis(
                _expected(np.pad(np.moveaxis(x, 1, -1), [(0, 0), (0, 1), (1, 1), (0, 0)]), w),
                -1,
                1,
            ),
        ),
    ],
)
declare(
    "DepthwiseConv2dNativeBackpropInput",
    inputs="input_sizes: int32, filter: T, out_backprop: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=_input_shape,
    kernel=kernels.depthwise_conv2d_native_backprop_input,
    gradient=_input_gradient,
    samples=[
        sample(
            [1, 1, 2, 2],
            [[[[2.0], [3.0]]]],
            [[[[1.0, 10.0], [4.0, 20.0]]]],
            strides=_ONES,
            padding="VALID",
            want=[[[[2.0, 30.0], [8.0, 60.0]]]],
        ),
        sample(
            [1, 4, 5, 2],
            numbers(2, 2, 2, 2),
            numbers(1, 2, 3, 4),
            strides=[1, 2, 2, 1],
            padding="SAME",
        ),
    ],
)
declare(
    "DepthwiseConv2dNativeBackpropFilter",
    inputs="input: T, filter_sizes: int32, out_backprop: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=_filter_shape,
    kernel=kernels.depthwise_conv2d_native_backprop_filter,
    gradient=_filter_gradient,
    samples=[
        sample(
            [[[[1.0, 2.0], [3.0, 4.0]]]],
            [1, 1, 2, 1],
            [[[[1.0, 10.0], [4.0, 20.0]]]],
            strides=_ONES,
            padding="VALID",
            want=[[[[13.0], [100.0]]]],
        ),
        sample(
            _IMAGE,
            [2, 2, 2, 2],
            numbers(1, 2, 3, 4),
            strides=[1, 2, 2, 1],
            padding="SAME",
        ),
    ],
)

# -- public functions ----------------------------------------------------------------------------


def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Filters each channel of `input` with its own part of `filter` [rows, columns, in, times].

    Channel c of the input makes the channels c * times and following of the output.
    """
    if isinstance(dilations, str):
        # TensorFlow 1.4 has the name here, before it knew dilations.
        dilations, name = None, dilations
    return call(
        "DepthwiseConv2dNative",
        name,
        input=input,
        filter=filter,
        strides=spread(strides, 4, data_format, "strides"),
        padding=padding,
        data_format=data_format,
        dilations=spread(dilations, 4, data_format, "dilations"),
    )


def depthwise_conv2d_native_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The gradient of `depthwise_conv2d_native` by its input of shape `input_sizes`."""
    if isinstance(dilations, str):
        dilations, name = None, dilations
    return call(
        "DepthwiseConv2dNativeBackpropInput",
        name,
        input_sizes=input_sizes,
        filter=filter,
        out_backprop=out_backprop,
        strides=spread(strides, 4, data_format, "strides"),
        padding=padding,
        data_format=data_format,
        dilations=spread(dilations, 4, data_format, "dilations"),
    )


def depthwise_conv2d_native_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The gradient of `depthwise_conv2d_native` by its filter of shape `filter_sizes`."""
    if isinstance(dilations, str):
        dilations, name = None, dilations
    return call(
        "DepthwiseConv2dNativeBackpropFilter",
        name,
        input=input,
        filter_sizes=filter_sizes,
        out_backprop=out_backprop,
        strides=spread(strides, 4, data_format, "strides"),
        padding=padding,
        data_format=data_format,
        dilations=spread(dilations, 4, data_format, "dilations"),
    )


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """`depthwise_conv2d_native` with holes of `rate` (two ints) between the taps of the filter.

    >>> import workbench as tf
    >>> image, bank = tf.constant([[[[1.0, 2.0]]]]), tf.constant([[[[1.0, 10.0], [1.0, 10.0]]]])
    >>> tf.nn.depthwise_conv2d(image, bank, [1, 1, 1, 1], "SAME").eval().tolist()
    [[[[1.0, 10.0, 2.0, 20.0]]]]
    """
    with name_scope(name, "depthwise", [input, filter]) as scope:
        input = convert_to_tensor(input, name="tensor_in")
        filter = convert_to_tensor(filter, name="filter_in", dtype=input.dtype.base_dtype)
        rates = rate if dilations is None else dilations
        return depthwise_conv2d_native(input, filter, strides, padding, data_format, rates, scope)


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """`depthwise_conv2d` and then a convolution with `pointwise_filter` [1, 1, multiplied, out].

    Raises ValueError where the pointwise filter is larger than one position.
    """
    with name_scope(name, "separable_conv2d", [input, depthwise_filter, pointwise_filter]) as scope:
        input = convert_to_tensor(input, name="tensor_in")
        dtype = input.dtype.base_dtype
        depthwise_filter = convert_to_tensor(depthwise_filter, name="depthwise_filter", dtype=dtype)
        pointwise_filter = convert_to_tensor(pointwise_filter, name="pointwise_filter", dtype=dtype)
        sizes = pointwise_filter.shape.with_rank(4)
        if not sizes[:2].is_compatible_with([1, 1]):
            raise ValueError(f"pointwise_filter must have the shape [1, 1, in, out], got {sizes}")
        rates = rate if dilations is None else dilations
        each = depthwise_conv2d_native(
            input, depthwise_filter, strides, padding, data_format, rates, "depthwise"
        )
        return conv2d(
            each, pointwise_filter, [1, 1, 1, 1], "VALID", data_format=data_format, name=scope
        )
