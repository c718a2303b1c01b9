"""Greyscale dilation and erosion."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import depthwise as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.nn import window_shapes

_ATTRS = "T: {real}, strides: list(int) >= 4, rates: list(int) >= 4, padding: {'SAME', 'VALID'}"


def _shape(op: Any) -> list[Entries]:
    image = shape_rules.with_rank(op.inputs[0].entries, 4, "the input")
    window = shape_rules.with_rank(op.inputs[1].entries, 3, "the filter")
    channels = shape_rules.equal_sizes(
        image[3], window[2], "channels of the input and of the filter"
    )
    strides = window_shapes.spatial_values(op.attrs["strides"], 4, "NHWC", "strides")
    rates = window_shapes.spatial_values(op.attrs["rates"], 4, "NHWC", "rates")
    spatial = [
        window_shapes.output_size(size, taps, stride, rate, op.attrs["padding"])
        for size, taps, stride, rate in zip(image[1:3], window[:2], strides, rates, strict=True)
    ]
    return [(image[0], *spatial, channels)]


def _gradient(op: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    image, window = op.inputs
    shared = {name: op.attrs[name] for name in ("strides", "rates", "padding")}
    arguments = {"input": image, "filter": window, "out_backprop": dy}
    return (
        call("Dilation2DBackpropInput", None, **arguments, **shared),
        call("Dilation2DBackpropFilter", None, **arguments, **shared),
    )


_ROW = [[[[1.0], [4.0], [2.0], [0.5]]]]
_WINDOW = [[[0.5], [3.0]]]
_ONES: dict[str, Any] = {"strides": [1] * 4, "rates": [1] * 4, "padding": "VALID"}

declare(
    "Dilation2D",
    inputs="input: T, filter: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=_shape,
    kernel=kernels.dilation2d,
    gradient=_gradient,
    samples=[
        sample(_ROW, _WINDOW, **_ONES, want=[[[[7.0], [5.0], [3.5]]]]),
        sample(
            _ROW,
            _WINDOW,
            strides=[1, 1, 2, 1],
            rates=[1, 1, 2, 1],
            padding="VALID",
            want=[[[[5.0]]]],
        ),
        # On the padding there is nothing to compare with.
        sample(
            _ROW,
            _WINDOW,
            strides=[1] * 4,
            rates=[1] * 4,
            padding="SAME",
            want=[[[[7.0], [5.0], [3.5], [1.0]]]],
        ),
    ],
)
declare(
    "Dilation2DBackpropInput",
    inputs="input: T, filter: T, out_backprop: T",
    outputs="in_backprop: T",
    attrs=_ATTRS,
    shape=shape_rules.same(0),
    kernel=kernels.dilation2d_backprop_input,
    gradient=None,
    samples=[
        sample(
            _ROW,
            _WINDOW,
            [[[[1.0], [10.0], [100.0]]]],
            **_ONES,
            want=[[[[0.0], [1.0], [10.0], [100.0]]]],
        )
    ],
)
declare(
    "Dilation2DBackpropFilter",
    inputs="input: T, filter: T, out_backprop: T",
    outputs="filter_backprop: T",
    attrs=_ATTRS,
    shape=shape_rules.same(1),
    kernel=kernels.dilation2d_backprop_filter,
    gradient=None,
    samples=[
        sample(
            [[[[1.0], [4.0], [0.0], [0.5]]]],
            _WINDOW,
            [[[[1.0], [10.0], [100.0]]]],
            **_ONES,
            want=[[[10.0], [101.0]]],
        )
    ],
)


def dilation2d(
    input: Any,
    filter: Any,
    strides: Any,
    rates: Any,
    padding: str,
    name: str | None = None,
) -> Tensor:
    """The largest of `input` + `filter` over each window: the output grows bright areas.

    `input` is [batch, height, width, depth], `filter` [rows, columns, depth]; `strides` and `rates`
    (the distance of the taps) have one number for each axis of the input.

    >>> import workbench as tf
    >>> ones = [1, 1, 1, 1]
    >>> row = tf.constant([[[[1.0], [4.0], [2.0]]]])
    >>> tf.nn.dilation2d(row, tf.zeros([1, 2, 1]), ones, ones, "VALID").eval().ravel().tolist()
    [4.0, 4.0]
    """
    return call(
        "Dilation2D",
        name,
        input=input,
        filter=filter,
        strides=strides,
        rates=rates,
        padding=padding,
    )


def erosion2d(
    value: Any,
    kernel: Any,
    strides: Any,
    rates: Any,
    padding: str,
    name: str | None = None,
) -> Tensor:
    """The smallest of `value` - `kernel` over each window: the output shrinks bright areas.

    It is the dilation of the negative with the kernel turned around; see `tf.nn.dilation2d`.
    """
    with name_scope(name, "erosion2d", [value, kernel]) as scope:
        value = convert_to_tensor(value, name="value")
        kernel = convert_to_tensor(kernel, name="kernel", dtype=value.dtype.base_dtype)
        grown = dilation2d(
            api.negative(value), api.reverse_v2(kernel, [0, 1]), strides, rates, padding
        )
        result: Tensor = api.negative(grown, name=scope)
        return result
