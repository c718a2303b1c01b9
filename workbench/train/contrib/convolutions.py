"""Convolutional layers: `tf.contrib.layers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.nn.activation import relu
from workbench.train.contrib.applied_layers import apply_layer
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.initializers import xavier_initializer
from workbench.train.contrib.support import check_data_format, format_of_layers
from workbench.train.layers.base import Layer
from workbench.train.layers.convolutional import Conv1D, Conv2D, Conv3D
from workbench.train.layers.transposed import Conv2DTranspose, Conv3DTranspose

_FORMATS = (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW")
_LAYERS: dict[int | None, type[Layer]] = {3: Conv1D, 4: Conv2D, 5: Conv3D}


@add_arg_scope
def convolution(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str | None = None,
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
    """A convolution over 1, 2 or 3 axes, by the rank of the input; see `fully_connected`.

    Args:
      inputs: [batch, width, channels], [batch, height, width, channels] or one axis more.
      num_outputs: the number of filters.
      kernel_size: the size of the filters: one number, or one for each axis.
      stride: the distance between their places.
      padding: "SAME" or "VALID".
      data_format: the order of the axes, such as "NHWC" (the default) or "NCHW".
      rate: the distance between what a filter looks at; not with strides.
      activation_fn: the activation; None for none.
      normalizer_fn: normalises in the place of biases, such as `batch_norm`.
      normalizer_params: further arguments of it.
      weights_initializer: initialises `weights`.
      weights_regularizer: gives a loss of the weights.
      biases_initializer: initialises `biases`; None for no biases.
      biases_regularizer: gives a loss of the biases.
      reuse: whether to share the variables of an earlier layer of this scope.
      variables_collections: further collections of the variables, or a dict of them.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      scope: the variable scope; "Conv", "Conv_1" and so on by default.

    Raises:
      ValueError: the rank or `data_format` is none of these.

    >>> import workbench as tf
    >>> y = tf.contrib.layers.conv2d(tf.ones([2, 8, 8, 3]), 16, [3, 3], stride=2)
    >>> y.shape.as_list(), [v.name for v in tf.model_variables()]
    ([2, 4, 4, 16], ['Conv/weights:0', 'Conv/biases:0'])
    """
    if data_format not in _FORMATS:
        raise ValueError(f"Invalid data_format: {data_format!r}")
    tensor = convert_to_tensor(inputs)
    if tensor.shape.ndims not in _LAYERS:
        raise ValueError(f"Convolution not supported for input with rank {tensor.shape.ndims}")
    arguments = {
        "filters": num_outputs,
        "kernel_size": kernel_size,
        "strides": stride,
        "padding": padding,
        "data_format": format_of_layers(data_format),
        "dilation_rate": rate,
    }
    return apply_layer(_LAYERS[tensor.shape.ndims], tensor, arguments, locals(), "Conv")


convolution2d = conv2d = convolution
convolution3d = conv3d = convolution


def _transposed(layer: type[Layer], default_scope: str, formats: tuple[str, str]) -> Any:
    """The function of a transposed convolution."""

    def transposed(
        inputs: Any,
        num_outputs: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: str = "SAME",
        data_format: str = formats[1],
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
        """A transposed convolution, which makes the input larger by `stride`; see `conv2d`."""
        check_data_format(data_format, formats)
        arguments = {
            "filters": num_outputs,
            "kernel_size": kernel_size,
            "strides": stride,
            "padding": padding,
            "data_format": format_of_layers(data_format),
        }
        return apply_layer(layer, inputs, arguments, locals(), default_scope)

    # Stacks of layers are named after the function.
    dimensions = "2d" if layer is Conv2DTranspose else "3d"
    transposed.__name__ = transposed.__qualname__ = f"convolution{dimensions}_transpose"
    return add_arg_scope(transposed)


convolution2d_transpose = _transposed(Conv2DTranspose, "Conv2d_transpose", ("NCHW", "NHWC"))
convolution3d_transpose = _transposed(Conv3DTranspose, "Conv3d_transpose", ("NCDHW", "NDHWC"))
conv2d_transpose, conv3d_transpose = convolution2d_transpose, convolution3d_transpose
