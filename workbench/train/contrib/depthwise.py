"""Convolutions that treat each channel apart: `tf.contrib.layers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.nn.activation import relu
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.applied_layers import apply_layer, finished, layer_variable
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.initializers import xavier_initializer
from workbench.train.contrib.support import (
    channel_dimension,
    check_data_format,
    format_of_layers,
    two_element_tuple,
)
from workbench.train.layers.separable import SeparableConv2D

_RENAMED = {
    "bias": "biases",
    "depthwise_kernel": "depthwise_weights",
    "pointwise_kernel": "pointwise_weights",
}


@add_arg_scope
def separable_convolution2d(
    inputs: Any,
    num_outputs: int | None,
    kernel_size: Any,
    depth_multiplier: int,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NHWC",
    rate: Any = 1,
    activation_fn: Callable[..., Any] | None = relu,
    normalizer_fn: Callable[..., Any] | None = None,
    normalizer_params: Mapping[str, Any] | None = None,
    weights_initializer: Any = xavier_initializer(),  # noqa: B008 - a function without state
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),  # noqa: B008
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """A convolution of each channel apart, then one of the channels; see `conv2d` for the rest.

    `num_outputs` None leaves out the second, so that there are `depth_multiplier` outputs for each
    channel.

    >>> import workbench as tf
    >>> y = tf.contrib.layers.separable_conv2d(tf.ones([1, 5, 5, 2]), None, 3, depth_multiplier=3)
    >>> y.shape.as_list()
    [1, 5, 5, 6]
    """
    check_data_format(data_format)
    if num_outputs is None:
        return _channelwise(inputs, locals(), "SeparableConv2d", "depthwise_weights")
    arguments = {
        "filters": num_outputs,
        "kernel_size": kernel_size,
        "strides": stride,
        "padding": padding,
        "data_format": format_of_layers(data_format),
        "dilation_rate": two_element_tuple(rate),
        "depth_multiplier": depth_multiplier,
    }
    return apply_layer(
        SeparableConv2D,
        inputs,
        arguments,
        locals(),
        "SeparableConv2d",
        kernels=("depthwise_kernel", "pointwise_kernel"),
        renamed=_RENAMED,
    )


separable_conv2d = separable_convolution2d


def _channelwise(inputs: Any, given: Mapping[str, Any], default_scope: str, name: str) -> Any:
    """A convolution of each channel apart, with variables of its own.

    `given` is what contrib's function was given; without a "depth_multiplier" among it all
    channels have one filter.
    """
    data_format, multiplier = given.get("data_format", "NHWC"), given.get("depth_multiplier")
    rate = two_element_tuple(given["rate"]) if "rate" in given else None
    with variable_scope(given["scope"], default_scope, [inputs], reuse=given["reuse"]) as opened:
        tensor = convert_to_tensor(inputs)
        dtype = tensor.dtype.base_dtype
        channels = channel_dimension(tensor.shape, format_of_layers(data_format), min_rank=4)
        filters = [1, 1] if multiplier is None else [channels, multiplier]
        shape = [*two_element_tuple(given["kernel_size"]), *filters]
        kernel = layer_variable("weights", shape, dtype, given, name)
        if multiplier is None:
            kernel = api.tile(kernel, [1, 1, channels, 1])
        height, width = two_element_tuple(given["stride"])
        outputs = api.depthwise_conv2d(
            tensor,
            kernel,
            [1, 1, height, width] if data_format == "NCHW" else [1, height, width, 1],
            given["padding"],
            rate=rate,
            data_format=data_format,
        )
        if given["normalizer_fn"] is None and given["biases_initializer"] is not None:
            bias = layer_variable("biases", [channels * (multiplier or 1)], dtype, given)
            outputs = api.bias_add(outputs, bias, data_format=data_format)
        return finished(outputs, given, opened.name)


@add_arg_scope
def convolution2d_in_plane(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    activation_fn: Callable[..., Any] | None = relu,
    normalizer_fn: Callable[..., Any] | None = None,
    normalizer_params: Mapping[str, Any] | None = None,
    weights_initializer: Any = xavier_initializer(),  # noqa: B008
    weights_regularizer: Any = None,
    biases_initializer: Any = zeros_initializer(),  # noqa: B008
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """A convolution of each channel with one and the same filter; see `conv2d` for the rest."""
    return _channelwise(inputs, locals(), "ConvInPlane", "weights")


conv2d_in_plane = convolution2d_in_plane
