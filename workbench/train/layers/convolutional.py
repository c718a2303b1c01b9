"""Convolutional layers."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.ops import api
from workbench.core.ops.nn.dilated import strides_and_rate
from workbench.train.layers.arguments import (
    conv_output_length,
    convert_data_format,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
)
from workbench.train.layers.base import Layer
from workbench.train.layers.core import ZEROS, Function
from workbench.train.layers.functions import as_function
from workbench.train.layers.inputs import InputSpec


class Convolution(Layer):
    """What convolutional layers of every rank share: activation(kernel * inputs + bias).

    `filters` is the number of output channels; `kernel_size`, `strides` and `dilation_rate` are one
    int, or one for each of the spatial axes; not both of the last two may be above 1.
    `padding` is "valid" or "same"; `data_format` "channels_last" or "channels_first".
    """

    #: The number of spatial axes.
    rank = 0

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        activation: Function = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = ZEROS,
        kernel_regularizer: Function = None,
        bias_regularizer: Function = None,
        activity_regularizer: Function = None,
        kernel_constraint: Function = None,
        bias_constraint: Function = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        rank = self.rank
        self.filters = filters
        self.kernel_size = normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = normalize_tuple(strides, rank, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = normalize_data_format(data_format)
        self.dilation_rate = normalize_tuple(dilation_rate, rank, "dilation_rate")
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.kernel: Any = None
        self.bias: Any = None
        self.input_spec = InputSpec(ndim=rank + 2)

    @property
    def channel_axis(self) -> int:
        """The axis of the channels."""
        return 1 if self.data_format == "channels_first" else -1

    @property
    def operation_format(self) -> str:
        """The order of axes as operations call it."""
        return convert_data_format(self.data_format, self.rank + 2)

    def spread(self, values: tuple[int, ...]) -> list[int]:
        """`values` of the spatial axes as attributes of operations, which name all axes."""
        first = self.data_format == "channels_first"
        return [1, 1, *values] if first else [1, *values, 1]

    def input_channels(self, input_shape: Any) -> int:
        """The number of channels of the input, which later inputs must have too."""
        channels = as_shape(input_shape)[self.channel_axis].value
        if channels is None:
            raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        return int(channels)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` [spatial..., in, filters] and `bias` [filters]."""
        channels = self.input_channels(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, channels, self.filters))
        self.add_bias()
        super().build(input_shape)

    def add_kernel(self, shape: tuple[int, ...]) -> Any:
        """The variable of the kernel."""
        return self.add_variable(
            "kernel",
            shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def add_bias(self) -> None:
        """Makes the variable of the bias, where there is one."""
        if self.use_bias:
            self.bias = self.add_variable(
                "bias",
                [self.filters],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs: Any) -> Any:
        """The output for `inputs`."""
        return self.finished(self.convolved(inputs))

    def convolved(self, inputs: Any) -> Any:
        """`inputs` convolved with the kernel."""
        strides_and_rate(self.rank, self.strides, self.dilation_rate)
        function = getattr(api, f"conv{self.rank}d")
        return function(
            inputs,
            self.kernel,
            self.spread(self.strides),
            self.padding.upper(),
            data_format=self.operation_format,
            dilations=self.spread(self.dilation_rate),
        )

    def finished(self, outputs: Any) -> Any:
        """`outputs` with bias and activation."""
        if self.use_bias:
            order = "NCHW" if self.data_format == "channels_first" else "NHWC"
            outputs = api.bias_add(outputs, self.bias, data_format=order)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the output for inputs of this shape."""
        shape = as_shape(input_shape).with_rank(self.rank + 2)
        first = self.data_format == "channels_first"
        spatial = shape.as_list()[2:] if first else shape.as_list()[1:-1]
        lengths = [self.output_length(axis, size) for axis, size in enumerate(spatial)]
        rest = [self.filters, *lengths] if first else [*lengths, self.filters]
        return TensorShape([shape[0], *rest])

    def output_length(self, axis: int, size: int | None) -> int | None:
        """The output's size along a spatial axis."""
        return conv_output_length(
            size,
            self.kernel_size[axis],
            self.padding,
            self.strides[axis],
            self.dilation_rate[axis],
        )


class Conv1D(Convolution):
    """A convolution over rows, such as text or sound: input [batch, width, channels].

    >>> import workbench as tf
    >>> tf.layers.Conv1D(8, 3)(tf.ones([2, 10, 4])).shape.as_list()
    [2, 8, 8]
    """

    rank = 1


class Conv2D(Convolution):
    """A convolution over images: input [batch, height, width, channels].

    >>> import workbench as tf
    >>> layer = tf.layers.Conv2D(16, [3, 3], padding="same", activation=tf.nn.relu)
    >>> layer(tf.ones([2, 28, 28, 1])).shape.as_list(), layer.kernel.shape.as_list()
    ([2, 28, 28, 16], [3, 3, 1, 16])
    """

    rank = 2


class Conv3D(Convolution):
    """A convolution over volumes: input [batch, depth, height, width, channels].

    >>> import workbench as tf
    >>> tf.layers.Conv3D(4, 2)(tf.ones([1, 5, 5, 5, 2])).shape.as_list()
    [1, 4, 4, 4, 4]
    """

    rank = 3


conv1d = as_function(Conv1D, "conv1d", "The output of a new `Conv1D` layer.")
conv2d = as_function(Conv2D, "conv2d", "The output of a new `Conv2D` layer.")
conv3d = as_function(Conv3D, "conv3d", "The output of a new `Conv3D` layer.")
