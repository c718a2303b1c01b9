"""The separable convolutional layer: first each channel for itself, then the channels mixed."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import api
from workbench.train.layers.convolutional import Convolution
from workbench.train.layers.core import ZEROS, Function
from workbench.train.layers.functions import as_function


class SeparableConv2D(Convolution):
    """A convolution of each channel alone, and then one of size 1 that mixes the channels.

    The first makes `depth_multiplier` channels of each one. See `Conv2D` for the other arguments.

    >>> import workbench as tf
    >>> layer = tf.layers.SeparableConv2D(8, 3, depth_multiplier=2)
    >>> layer(tf.ones([1, 6, 6, 4])).shape.as_list()
    [1, 4, 4, 8]
    >>> layer.depthwise_kernel.shape.as_list(), layer.pointwise_kernel.shape.as_list()
    ([3, 3, 4, 2], [1, 1, 8, 8])
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Function = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = ZEROS,
        depthwise_regularizer: Function = None,
        pointwise_regularizer: Function = None,
        bias_regularizer: Function = None,
        activity_regularizer: Function = None,
        depthwise_constraint: Function = None,
        pointwise_constraint: Function = None,
        bias_constraint: Function = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = depthwise_initializer
        self.pointwise_initializer = pointwise_initializer
        self.depthwise_regularizer = depthwise_regularizer
        self.pointwise_regularizer = pointwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        self.pointwise_constraint = pointwise_constraint
        self.depthwise_kernel: Any = None
        self.pointwise_kernel: Any = None

    def build(self, input_shape: Any) -> None:
        """Makes `depthwise_kernel`, `pointwise_kernel` and `bias`."""
        channels = self.input_channels(input_shape)
        self.depthwise_kernel = self.add_variable(
            "depthwise_kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_variable(
            "pointwise_kernel",
            (1, 1, self.depth_multiplier * channels, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.add_bias()
        self.built = True

    def convolved(self, inputs: Any) -> Any:
        """`inputs` convolved with both kernels."""
        return api.separable_conv2d(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.spread(self.strides),
            self.padding.upper(),
            rate=self.dilation_rate,
            data_format=self.operation_format,
        )


separable_conv2d = as_function(
    SeparableConv2D, "separable_conv2d", "The output of a new `SeparableConv2D` layer."
)
