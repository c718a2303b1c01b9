"""Convolutions that treat each channel apart: `tf.contrib.layers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.nn.activation import relu
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.initializers import xavier_initializer
from workbench.train.contrib.support import (
    apply_layer,
    channel_dimension,
    check_data_format,
    collect_named_outputs,
    finished,
    format_of_layers,
    get_variable_collections,
    two_element_tuple,
)
from workbench.train.contrib.variables import model_variable
from workbench.train.layers.separable import SeparableConv2D

_RENAMED = {
    "bias": "biases",
    "depthwise_kernel": "depthwise_weights",
    "pointwise_kernel": "pointwise_weights",
}
_COLLECTED = {"depthwise_kernel": "weights", "pointwise_kernel": "weights", "bias": "biases"}


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
        return _depthwise(
            inputs,
            kernel_size,
            depth_multiplier,
            (stride, padding, data_format, rate),
            (normalizer_fn, normalizer_params, activation_fn),
            (weights_initializer, weights_regularizer),
            (biases_initializer, biases_regularizer),
            reuse,
            variables_collections,
            outputs_collections,
            trainable,
            scope,
        )
    return apply_layer(
        SeparableConv2D,
        inputs,
        {
            "filters": num_outputs,
            "kernel_size": kernel_size,
            "strides": stride,
            "padding": padding,
            "data_format": format_of_layers(data_format),
            "dilation_rate": two_element_tuple(rate),
            "depth_multiplier": depth_multiplier,
            "use_bias": not normalizer_fn and biases_initializer is not None,
            "depthwise_initializer": weights_initializer,
            "pointwise_initializer": weights_initializer,
            "bias_initializer": biases_initializer,
            "depthwise_regularizer": weights_regularizer,
            "pointwise_regularizer": weights_regularizer,
            "bias_regularizer": biases_regularizer,
            "trainable": trainable,
        },
        scope=scope,
        default_scope="SeparableConv2d",
        reuse=reuse,
        renamed=_RENAMED,
        collected=_COLLECTED,
        variables_collections=variables_collections,
        outputs_collections=outputs_collections,
        normalizer_fn=normalizer_fn,
        normalizer_params=normalizer_params,
        activation_fn=activation_fn,
    )


separable_conv2d = separable_convolution2d


def _depthwise(
    inputs: Any,
    kernel_size: Any,
    depth_multiplier: int,
    geometry: tuple[Any, str, str, Any],
    finish: tuple[Any, Any, Any],
    weights: tuple[Any, Any],
    biases: tuple[Any, Any],
    reuse: Any,
    variables_collections: Any,
    outputs_collections: Any,
    trainable: bool,
    scope: Any,
) -> Any:
    """The convolution of each channel apart, with variables of its own."""
    stride, padding, data_format, rate = geometry
    with variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse) as opened:
        tensor = convert_to_tensor(inputs)
        channels = channel_dimension(tensor.shape, format_of_layers(data_format), min_rank=4)
        kernel = model_variable(
            "depthwise_weights",
            shape=[*two_element_tuple(kernel_size), channels, depth_multiplier],
            dtype=tensor.dtype.base_dtype,
            initializer=weights[0],
            regularizer=weights[1],
            trainable=trainable,
            collections=get_variable_collections(variables_collections, "weights"),
        )
        height, width = two_element_tuple(stride)
        first = data_format == "NCHW"
        outputs = api.depthwise_conv2d(
            tensor,
            kernel,
            [1, 1, height, width] if first else [1, height, width, 1],
            padding,
            rate=two_element_tuple(rate),
            data_format=data_format,
        )
        if finish[0] is None and biases[0] is not None:
            bias = model_variable(
                "biases",
                shape=[channels * depth_multiplier],
                dtype=tensor.dtype.base_dtype,
                initializer=biases[0],
                regularizer=biases[1],
                trainable=trainable,
                collections=get_variable_collections(variables_collections, "biases"),
            )
            outputs = api.bias_add(outputs, bias, data_format=data_format)
        outputs = finished(outputs, *finish)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


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
    with variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as opened:
        tensor = convert_to_tensor(inputs)
        channels = channel_dimension(tensor.shape, "channels_last", min_rank=4)
        kernel = model_variable(
            "weights",
            shape=[*two_element_tuple(kernel_size), 1, 1],
            dtype=tensor.dtype.base_dtype,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            collections=get_variable_collections(variables_collections, "weights"),
            trainable=trainable,
        )
        height, width = two_element_tuple(stride)
        outputs = api.depthwise_conv2d(
            tensor, api.tile(kernel, [1, 1, channels, 1]), [1, height, width, 1], padding
        )
        if normalizer_fn is None and biases_initializer is not None:
            bias = model_variable(
                "biases",
                shape=[channels],
                dtype=tensor.dtype.base_dtype,
                initializer=biases_initializer,
                regularizer=biases_regularizer,
                collections=get_variable_collections(variables_collections, "biases"),
                trainable=trainable,
            )
            outputs = api.bias_add(outputs, bias)
        outputs = finished(outputs, normalizer_fn, normalizer_params, activation_fn)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


conv2d_in_plane = convolution2d_in_plane
