"""Three-dimensional convolutions, and the operations of their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import convolution as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.nn import convolution_rules as rules
from workbench.core.ops.nn.convolution_rules import naive, numbers
from workbench.core.ops.nn.window_shapes import spread

_ATTRS = (
    "T: {half, bfloat16, float, double}, strides: list(int) >= 5, padding: {'SAME', 'VALID'}, "
    "data_format: {'NDHWC', 'NCDHW'} = 'NDHWC', dilations: list(int) = [1, 1, 1, 1, 1]"
)
#: The first version of the gradients, which take a tensor only for its shape.
_FIRST_ATTRS = (
    "T: {half, float, double}, strides: list(int) >= 5, padding: {'SAME', 'VALID'}, "
    "dilations: list(int) = [1, 1, 1, 1, 1]"
)
_VOLUME, _CUBES = numbers(1, 3, 3, 3, 1), numbers(2, 2, 2, 1, 2)
_ONES = [1] * 5

declare(
    "Conv3D",
    inputs="input: T, filter: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=rules.forward_shape(5),
    kernel=kernels.conv3d,
    gradient=rules.forward_gradient("Conv3D"),
    cost=rules.convolution_cost,
    expensive=True,
    samples=[
        sample(_VOLUME, _CUBES, strides=_ONES, padding="VALID", want=naive),
        sample(
            _VOLUME,
            _CUBES,
            strides=[1, 2, 2, 2, 1],
            padding="SAME",
            want=lambda x, w: naive(
                np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 1), (0, 0)]), w, stride=2
            ),
        ),
    ],
)
declare(
    "Conv3DBackpropInputV2",
    inputs="input_sizes: Tshape, filter: T, out_backprop: T",
    outputs="output: T",
    attrs=_ATTRS + ", Tshape: {int32, int64} = DT_INT32",
    shape=rules.input_shape(5),
    kernel=kernels.conv3d_backprop_input_v2,
    gradient=rules.input_gradient("Conv3D"),
    cost=rules.gradient_cost,
    expensive=True,
    samples=[
        sample(
            [1, 1, 1, 2, 1],
            [[[[[2.0]]]]],
            [[[[[1.0], [10.0]]]]],
            strides=_ONES,
            padding="VALID",
            want=[[[[[2.0], [20.0]]]]],
        ),
        sample(
            [1, 3, 3, 3, 1],
            _CUBES,
            numbers(1, 2, 2, 2, 2),
            strides=[1, 2, 2, 2, 1],
            padding="SAME",
        ),
    ],
)
declare(
    "Conv3DBackpropFilterV2",
    inputs="input: T, filter_sizes: int32, out_backprop: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=rules.filter_shape(5),
    kernel=kernels.conv3d_backprop_filter_v2,
    gradient=rules.filter_gradient("Conv3D"),
    cost=rules.gradient_cost,
    expensive=True,
    samples=[
        sample(
            [[[[[1.0], [2.0]]]]],
            [1, 1, 1, 1, 1],
            [[[[[1.0], [10.0]]]]],
            strides=_ONES,
            padding="VALID",
            want=[[[[[21.0]]]]],
        ),
        sample(
            _VOLUME,
            [2, 2, 2, 1, 2],
            numbers(1, 2, 2, 2, 2),
            strides=[1, 2, 2, 2, 1],
            padding="SAME",
        ),
    ],
)


def _first_by_input(
    input: Any,
    filter: Any,
    out_backprop: Any,
    *,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int],
) -> Any:
    return kernels.conv3d_backprop_input_v2(
        np.array(np.shape(input)),
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        dilations=dilations,
    )


def _first_by_filter(
    input: Any,
    filter: Any,
    out_backprop: Any,
    *,
    strides: Sequence[int],
    padding: str,
    dilations: Sequence[int],
) -> Any:
    return kernels.conv3d_backprop_filter_v2(
        input,
        np.array(np.shape(filter)),
        out_backprop,
        strides=strides,
        padding=padding,
        dilations=dilations,
    )


declare(
    "Conv3DBackpropInput",
    inputs="input: T, filter: T, out_backprop: T",
    outputs="output: T",
    attrs=_FIRST_ATTRS,
    shape=shape_rules.same(0),
    kernel=_first_by_input,
    gradient=None,
    cost=rules.gradient_cost,
    expensive=True,
    samples=[
        sample(
            [[[[[0.0], [0.0]]]]],
            [[[[[2.0]]]]],
            [[[[[1.0], [10.0]]]]],
            strides=_ONES,
            padding="VALID",
            want=[[[[[2.0], [20.0]]]]],
        )
    ],
)
declare(
    "Conv3DBackpropFilter",
    inputs="input: T, filter: T, out_backprop: T",
    outputs="output: T",
    attrs=_FIRST_ATTRS,
    shape=shape_rules.same(1),
    kernel=_first_by_filter,
    gradient=None,
    cost=rules.gradient_cost,
    expensive=True,
    samples=[
        sample(
            [[[[[1.0], [2.0]]]]],
            [[[[[0.0]]]]],
            [[[[[1.0], [10.0]]]]],
            strides=_ONES,
            padding="VALID",
            want=[[[[[21.0]]]]],
        )
    ],
)


def conv3d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Slides the `filter` [depth, height, width, in, out] over `input` [batch, d, h, w, in].

    `strides` and `dilations` have one number for each of the five axes. With data_format="NCDHW"
    the channels of the input and of the output come second. See `tf.nn.conv2d`.

    >>> import workbench as tf
    >>> tf.nn.conv3d(tf.ones([1, 2, 2, 2, 1]), tf.ones([2, 2, 2, 1, 1]), [1] * 5, "VALID").eval()
    array([[[[[8.]]]]], dtype=float32)
    """
    if isinstance(dilations, str):
        # TensorFlow 1.4 has the name here, before it knew dilations.
        dilations, name = None, dilations
    return call(
        "Conv3D",
        name,
        input=input,
        filter=filters if filter is None else filter,
        strides=spread(strides, 5, data_format, "strides"),
        padding=padding,
        data_format=data_format,
        dilations=spread(dilations, 5, data_format, "dilations"),
    )


def conv3d_backprop_filter_v2(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The gradient of `conv3d` by its filter, which has the shape `filter_sizes` (int32 [5])."""
    if isinstance(dilations, str):
        dilations, name = None, dilations
    return call(
        "Conv3DBackpropFilterV2",
        name,
        input=input,
        filter_sizes=filter_sizes,
        out_backprop=out_backprop,
        strides=spread(strides, 5, data_format, "strides"),
        padding=padding,
        data_format=data_format,
        dilations=spread(dilations, 5, data_format, "dilations"),
    )


def conv3d_transpose(
    value: Any,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: str = "SAME",
    data_format: str = "NDHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transpose of `conv3d`, with a `filter` [depth, height, width, out, in].

    `output_shape` (int32 [5]) is the shape of the result; `conv3d` of it has the shape of `value`.
    Raises ValueError where channels do not agree.
    """
    value = input if value is None else value
    filter = filters if filter is None else filter
    with name_scope(name, "conv3d_transpose", [value, filter, output_shape]) as scope:
        if data_format not in ("NCDHW", "NDHWC"):
            raise ValueError(f"data_format has to be either NCDHW or NDHWC, got {data_format!r}")
        value, filter, sizes = rules.transposed_arguments(
            value, filter, output_shape, padding, 1 if data_format == "NCDHW" else 4, 5
        )
        return call(
            "Conv3DBackpropInputV2",
            scope,
            input_sizes=sizes,
            filter=filter,
            out_backprop=value,
            strides=spread(strides, 5, data_format, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=spread(dilations, 5, data_format, "dilations"),
        )
