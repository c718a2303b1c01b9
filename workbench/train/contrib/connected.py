"""Fully connected layers, and biases alone: `tf.contrib.layers`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.nn.activation import elu as elu_of
from workbench.core.ops.nn.activation import relu as relu_of
from workbench.core.ops.nn.activation import relu6 as relu6_of
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.applied_layers import apply_layer
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.initializers import xavier_initializer
from workbench.train.contrib.support import (
    channel_dimension,
    check_data_format,
    collect_named_outputs,
    format_of_layers,
    get_variable_collections,
)
from workbench.train.contrib.variables import model_variable
from workbench.train.layers.core import Dense


@add_arg_scope
def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Callable[..., Any] | None = relu_of,
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
    """A fully connected layer: activation(inputs x weights + biases), along the last axis.

    Args:
      inputs: a tensor of rank 2 or more, whose last axis is known.
      num_outputs: the size of the output's last axis.
      activation_fn: the activation; None for none.
      normalizer_fn: normalises in the place of biases, such as `batch_norm`.
      normalizer_params: further arguments of it.
      weights_initializer: initialises `weights` [inputs, num_outputs].
      weights_regularizer: gives a loss of the weights.
      biases_initializer: initialises `biases` [num_outputs]; None for no biases.
      biases_regularizer: gives a loss of the biases.
      reuse: whether to share the variables of an earlier layer of this scope.
      variables_collections: further collections of the variables, or a dict of them by
        "weights" and "biases".
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      scope: the variable scope; "fully_connected", "fully_connected_1" and so on by default.

    Raises:
      ValueError: `num_outputs` is no int, or the last axis is not known.

    >>> import workbench as tf
    >>> y = tf.contrib.layers.fully_connected(tf.ones([2, 3]), 4, scope="fc")
    >>> y.shape.as_list(), [v.name for v in tf.model_variables()]
    ([2, 4], ['fc/weights:0', 'fc/biases:0'])
    """
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs should be int or long, got {num_outputs}.")
    return apply_layer(Dense, inputs, {"units": num_outputs}, locals(), "fully_connected")


#: `fully_connected` with one activation or none.
linear = functools.partial(fully_connected, activation_fn=None)
relu = functools.partial(fully_connected, activation_fn=relu_of)
relu6 = functools.partial(fully_connected, activation_fn=relu6_of)
elu = functools.partial(fully_connected, activation_fn=elu_of)


@add_arg_scope
def bias_add(
    inputs: Any,
    activation_fn: Callable[..., Any] | None = None,
    initializer: Any = zeros_initializer(),  # noqa: B008
    regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Adds a variable `biases` along the axis of the channels; see `fully_connected` for the rest.

    Raises:
      ValueError: the number of channels is not known, or `data_format` none of the two.
    """
    check_data_format(data_format)
    with variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as opened:
        tensor = convert_to_tensor(inputs)
        if data_format == "NCHW" and tensor.shape.ndims != 4:
            raise ValueError("Data format NCHW only supports 4D Tensor")
        channels = channel_dimension(tensor.shape, format_of_layers(data_format))
        biases = model_variable(
            "biases",
            shape=[channels],
            dtype=tensor.dtype.base_dtype,
            initializer=initializer,
            regularizer=regularizer,
            collections=get_variable_collections(variables_collections, "biases"),
            trainable=trainable,
        )
        outputs = api.bias_add(tensor, biases, data_format=data_format)
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, opened.name, outputs)
