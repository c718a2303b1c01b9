"""Where features are, and how much of a gradient passes: `tf.contrib.layers`."""

from __future__ import annotations

from typing import Any

from workbench.core.gradients.custom import custom_gradient
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32
from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.support import (
    channel_dimension,
    check_data_format,
    format_of_layers,
    get_variable_collections,
)
from workbench.train.contrib.variables import model_variable


@add_arg_scope
def spatial_softmax(
    features: Any,
    temperature: float | None = None,
    name: str | None = None,
    variables_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
) -> Any:
    """Where each channel of images is strong: the mean place under a softmax, from -1 to 1.

    Args:
      features: [batch, height, width, channels].
      temperature: where the variable that the features are divided by starts; at 1 by default.
      name: the variable scope; "spatial_softmax" by default.
      variables_collections: further collections of the variable, or a dict of them.
      trainable: whether the variable is trained.
      data_format: "NHWC" or "NCHW".

    Returns:
      [batch, 2 * channels]: a row and a column for each channel.

    Raises:
      ValueError: the number of channels is not known.
    """
    check_data_format(data_format)
    with variable_scope(name, "spatial_softmax"):
        tensor = convert_to_tensor(features)
        if data_format == "NHWC":
            tensor = api.transpose(tensor, [0, 3, 1, 2])
        channels = channel_dimension(tensor.shape, format_of_layers("NCHW"), min_rank=4)
        sizes = api.shape(tensor)
        height, width = sizes[2], sizes[3]
        rows, columns = api.meshgrid(
            api.linspace(-1.0, 1.0, height), api.linspace(-1.0, 1.0, width), indexing="ij"
        )
        divisor = model_variable(
            "temperature",
            shape=(),
            dtype=float32,
            initializer=constant_initializer(1.0 if temperature is None else temperature),
            collections=get_variable_collections(variables_collections, "temperature"),
            trainable=trainable,
        )
        attention = api.softmax(api.reshape(tensor, [-1, height * width]) / divisor)
        places = [
            api.reduce_sum(api.reshape(axis, [-1]) * attention, axis=1) for axis in (rows, columns)
        ]
        return api.reshape(api.stack(places, axis=1), [-1, 2 * channels])


def scale_gradient(inputs: Any, gradient_multiplier: Any) -> Any:
    """`inputs` as they are, with a gradient that is multiplied.

    >>> import workbench as tf
    >>> x = tf.constant(3.0)
    >>> tf.gradients(scale_gradient(x, 0.5) * 2.0, x)[0].eval()
    np.float32(1.0)
    """

    @custom_gradient
    def scaled(values: Any) -> Any:
        return api.identity(values), lambda gradient: gradient * gradient_multiplier

    return scaled(convert_to_tensor(inputs))
