"""Two-dimensional convolutions, and the operations of their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import convolution as kernels
from workbench.core.ops import api
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.nn import convolution_rules as rules
from workbench.core.ops.nn.convolution_rules import naive, numbers
from workbench.core.ops.nn.window_shapes import is_channels_first, spread

_ATTRS = (
    "T: {half, bfloat16, float, double}, strides: list(int), use_cudnn_on_gpu: bool = true, "
    "padding: {'SAME', 'VALID'}, explicit_paddings: list(int) = [], "
    "data_format: {'NHWC', 'NCHW'} = 'NHWC', dilations: list(int) = [1, 1, 1, 1]"
)
_IMAGE, _BANK = numbers(1, 4, 5, 2), numbers(2, 3, 2, 2)
_ONES = [1] * 4

declare(
    "Conv2D",
    inputs="input: T, filter: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=rules.forward_shape(4),
    kernel=kernels.conv2d,
    gradient=rules.forward_gradient("Conv2D"),
    cost=rules.convolution_cost,
    expensive=True,
    samples=[
        sample(_IMAGE, _BANK, strides=_ONES, padding="VALID", want=naive),
        sample(
            _IMAGE,
            numbers(2, 2, 2, 1),
            strides=[1, 2, 2, 1],
            padding="VALID",
            want=lambda x, w: naive(x, w, stride=2),
        ),
        sample(
            _IMAGE,
            numbers(2, 2, 2, 1),
            strides=_ONES,
            padding="VALID",
            dilations=[1, 2, 2, 1],
            want=lambda x, w: naive(x, w, dilation=2),
        ),
        sample(
            _IMAGE,
            _BANK,
            strides=_ONES,
            padding="SAME",
            want=lambda x, w: naive(np.pad(x, [(0, 0), (0, 1), (1, 1), (0, 0)]), w),
        ),
        sample(
            numbers(1, 2, 4, 5),
            _BANK,
            strides=_ONES,
            padding="VALID",
            data_format="NCHW",
            want=lambda x, w: np.moveaxis(naive(np.moveaxis(x, 1, -1), w), -1, 1),
        ),
    ],
)
declare(
    "Conv2DBackpropInput",
    inputs="input_sizes: int32, filter: T, out_backprop: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=rules.input_shape(4),
    kernel=kernels.conv2d_backprop_input,
    gradient=rules.input_gradient("Conv2D"),
    cost=rules.gradient_cost,
    expensive=True,
    samples=[
        sample(
            [1, 2, 2, 1],
            [[[[2.0]], [[3.0]]]],
            [[[[1.0]], [[10.0]]]],
            strides=_ONES,
            padding="VALID",
            want=[[[[2.0], [3.0]], [[20.0], [30.0]]]],
        ),
        sample(
            [1, 4, 5, 2],
            numbers(2, 2, 2, 3),
            numbers(1, 2, 3, 3),
            strides=[1, 2, 2, 1],
            padding="SAME",
        ),
    ],
)
declare(
    "Conv2DBackpropFilter",
    inputs="input: T, filter_sizes: int32, out_backprop: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=rules.filter_shape(4),
    kernel=kernels.conv2d_backprop_filter,
    gradient=rules.filter_gradient("Conv2D"),
    cost=rules.gradient_cost,
    expensive=True,
    samples=[
        sample(
            [[[[1.0], [2.0], [4.0]]]],
            [1, 2, 1, 1],
            [[[[1.0], [10.0]]]],
            strides=_ONES,
            padding="VALID",
            want=[[[[21.0]], [[42.0]]]],
        ),
        sample(
            _IMAGE,
            [2, 2, 2, 3],
            numbers(1, 2, 3, 3),
            strides=[1, 2, 2, 1],
            padding="SAME",
        ),
    ],
)


def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: str | None = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Slides the `filter` [height, width, in, out] over `input` [batch, height, width, in].

    `strides` and `dilations` have one number for each axis of the input (or one for height and
    width). `padding` is "SAME" (ceil(size / stride) outputs, zeros around) or "VALID". With
    data_format="NCHW" the channels of the input and of the output come second. Raises ValueError
    where the channels differ or the filter is larger than the input.

    >>> import workbench as tf
    >>> image, bank = tf.ones([1, 3, 3, 1]), tf.ones([2, 2, 1, 1])
    >>> tf.nn.conv2d(image, bank, [1, 1, 1, 1], "VALID").eval()[0, ..., 0].tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    return call(
        "Conv2D",
        name,
        input=input,
        filter=filters if filter is None else filter,
        strides=spread(strides, 4, data_format, "strides"),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        data_format=data_format,
        dilations=spread(dilations, 4, data_format, "dilations"),
    )


def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any = None,
    out_backprop: Any = None,
    strides: Any = None,
    padding: str | None = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """The gradient of `conv2d` by its input, which has the shape `input_sizes` (int32 [4])."""
    return call(
        "Conv2DBackpropInput",
        name,
        input_sizes=input_sizes,
        filter=filters if filter is None else filter,
        out_backprop=out_backprop,
        strides=spread(strides, 4, data_format, "strides"),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        data_format=data_format,
        dilations=spread(dilations, 4, data_format, "dilations"),
    )


def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The gradient of `conv2d` by its filter, which has the shape `filter_sizes` (int32 [4])."""
    return call(
        "Conv2DBackpropFilter",
        name,
        input=input,
        filter_sizes=filter_sizes,
        out_backprop=out_backprop,
        strides=spread(strides, 4, data_format, "strides"),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        data_format=data_format,
        dilations=spread(dilations, 4, data_format, "dilations"),
    )


def conv2d_transpose(
    value: Any,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: str = "SAME",
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transpose of `conv2d`: the `filter` [height, width, out, in] painted at each position.

    `output_shape` (int32 [4]) is the shape of the result; `conv2d` of it has the shape of `value`.
    Raises ValueError where channels do not agree.

    >>> import workbench as tf
    >>> tf.nn.conv2d_transpose(
    ...     tf.ones([1, 1, 2, 1]), tf.ones([1, 2, 1, 1]), [1, 1, 4, 1], [1, 1, 2, 1]
    ... ).eval().ravel().tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    value = input if value is None else value
    filter = filters if filter is None else filter
    with name_scope(name, "conv2d_transpose", [value, filter, output_shape]) as scope:
        if data_format not in ("NCHW", "NHWC"):
            raise ValueError(f"data_format has to be either NCHW or NHWC, got {data_format!r}")
        value, filter, sizes = rules.transposed_arguments(
            value, filter, output_shape, padding, 1 if data_format == "NCHW" else 3, 4
        )
        return call(
            "Conv2DBackpropInput",
            scope,
            input_sizes=sizes,
            filter=filter,
            out_backprop=value,
            strides=spread(strides, 4, data_format, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=spread(dilations, 4, data_format, "dilations"),
        )


def conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: str | None = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Slides `filters` [width, in, out] over `value` [batch, width, in], `stride` at a time.

    With data_format="NCW" the channels of the input and of the output come second.

    >>> import workbench as tf
    >>> tf.nn.conv1d(tf.ones([1, 4, 1]), tf.ones([2, 1, 1]), 2, "VALID").eval().tolist()
    [[[2.0], [2.0]]]
    """
    value = input if value is None else value
    with name_scope(name, "conv1d", [value, filters]):
        if data_format not in (None, "NHWC", "NWC", "NCHW", "NCW"):
            raise ValueError(f'data_format must be "NWC" or "NCW", got {data_format!r}')
        axis = 2 if is_channels_first(data_format) else 1
        image_format = "NCHW" if axis == 2 else "NHWC"
        result = conv2d(
            api.expand_dims(convert_to_tensor(value, name="input"), axis),
            api.expand_dims(filters, 0),
            _flat_values(stride, image_format, "stride"),
            padding,
            use_cudnn_on_gpu,
            image_format,
            _flat_values(dilations, image_format, "dilations"),
        )
        flat: Tensor = api.squeeze(result, [axis])
        return flat


def _flat_values(values: Any, data_format: str, what: str) -> list[int]:
    """A stride or dilation along a row, as those of an image of height 1."""
    batch, *inner = spread(values, 3, data_format, what)
    return [batch, *inner[:1], 1, inner[1]] if data_format == "NCHW" else [batch, 1, *inner]
