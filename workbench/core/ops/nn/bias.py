"""Adding a bias to each channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import bias as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

_FORMATS = "data_format: {'NHWC', 'NCHW'} = 'NHWC'"


def _channel(op: Any, entries: Entries) -> int:
    """The axis of the channels; ValueError where the rank is too small."""
    by_channel = op.attrs.get("data_format") == "NCHW"
    shape_rules.at_least_rank(entries, 3 if by_channel else 2, f"'{op.name}'")
    return 1 if by_channel else -1


def _bias_shape(op: Any) -> list[Entries]:
    value, bias = op.inputs[0].entries, op.inputs[1].entries
    (size,) = shape_rules.with_rank(bias, 1, f"'bias' of '{op.name}'")
    axis = _channel(op, value)
    if value is None:
        return [None]
    sizes = list(value)
    sizes[axis] = shape_rules.equal_sizes(sizes[axis], size, "channels of value and size of bias")
    return [tuple(sizes)]


def _bias_gradient_shape(op: Any) -> list[Entries]:
    entries = op.inputs[0].entries
    axis = _channel(op, entries)
    return [(None,) if entries is None else (entries[axis],)]


def _gradient(op: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    return dy, call("BiasAddGrad", None, out_backprop=dy, data_format=op.attrs["data_format"])


def _first_version_gradient(op: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    return dy, call("BiasAddGrad", None, out_backprop=dy)


def _second(op: Any, ddy: Tensor) -> Any:
    """Each channel's number, spread over the shape of what was summed."""
    x = op.inputs[0]
    if op.attrs["data_format"] == "NCHW":
        return call("BiasAdd", None, value=api.zeros_like(x), bias=ddy, data_format="NCHW")
    return api.zeros_like(x) + ddy


_IMAGE = [[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], [[9.0, 8.0], [7.0, 6.0]]]]

declare(
    "BiasAdd",
    inputs="value: T, bias: T",
    outputs="output: T",
    attrs=f"T: {{number}}, {_FORMATS}",
    shape=_bias_shape,
    kernel=kernels.bias_add,
    gradient=_gradient,
    samples=[
        sample([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0], want=[[11.0, 22.0], [13.0, 24.0]]),
        sample(_IMAGE, [10.0, 20.0], want=lambda x, b: x + b),
        sample(
            _IMAGE,
            [10.0, 20.0, 30.0],
            data_format="NCHW",
            want=lambda x, b: x + b[:, np.newaxis, np.newaxis],
        ),
    ],
)
declare(
    "BiasAddV1",
    inputs="value: T, bias: T",
    outputs="output: T",
    attrs="T: {number}",
    shape=_bias_shape,
    kernel=kernels.bias_add_v1,
    gradient=_first_version_gradient,
    samples=[sample([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0], want=[[11.0, 22.0], [13.0, 24.0]])],
)
declare(
    "BiasAddGrad",
    inputs="out_backprop: T",
    outputs="output: T",
    attrs=f"T: {{number}}, {_FORMATS}",
    shape=_bias_gradient_shape,
    kernel=kernels.bias_add_grad,
    gradient=_second,
    samples=[
        sample([[1.0, 2.0], [3.0, 4.0]], want=[4.0, 6.0]),
        sample(_IMAGE, data_format="NHWC", want=lambda x: x.sum((0, 1, 2))),
        sample(_IMAGE, data_format="NCHW", want=lambda x: x.sum((0, 2, 3))),
    ],
)


def bias_add(
    value: Any, bias: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """`value` plus `bias` [channels], broadcast over all axes but the channels.

    The channels are the last axis, or the second with data_format="NCHW". Raises ValueError where
    `bias` has not one number for each channel.

    >>> import workbench as tf
    >>> tf.nn.bias_add([[1.0, 2.0]], [10.0, 20.0]).eval().tolist()
    [[11.0, 22.0]]
    """
    with name_scope(name, "BiasAdd", [value, bias]) as scope:
        value = convert_to_tensor(value, name="input")
        bias = convert_to_tensor(bias, dtype=value.dtype.base_dtype, name="bias")
        return call("BiasAdd", scope, value=value, bias=bias, data_format=data_format)


def bias_add_v1(value: Any, bias: Any, name: str | None = None) -> Tensor:
    """`value` plus `bias` along the last axis, in the older operation."""
    with name_scope(name, "BiasAddV1", [value, bias]) as scope:
        value = convert_to_tensor(value, name="input")
        bias = convert_to_tensor(bias, dtype=value.dtype.base_dtype, name="bias")
        return call("BiasAddV1", scope, value=value, bias=bias)


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """matmul(x, weights) + biases.

    >>> import workbench as tf
    >>> tf.nn.xw_plus_b([[1.0, 2.0]], [[3.0], [4.0]], [0.5]).eval().tolist()
    [[11.5]]
    """
    with name_scope(name, "xw_plus_b", [x, weights, biases]) as scope:
        return bias_add(_product(x, weights), biases, name=scope)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """relu(matmul(x, weights) + biases)."""
    with name_scope(name, "relu_layer", [x, weights, biases]) as scope:
        result: Tensor = api.relu(bias_add(_product(x, weights), biases), name=scope)
        return result


def _product(x: Any, weights: Any) -> Any:
    x = convert_to_tensor(x, name="x")
    return api.matmul(x, convert_to_tensor(weights, dtype=x.dtype.base_dtype, name="weights"))
