"""Transposed convolutional layers, which go the way of a convolution backwards."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import api
from workbench.train.layers.arguments import deconv_output_length
from workbench.train.layers.convolutional import Convolution
from workbench.train.layers.core import ZEROS, Function
from workbench.train.layers.functions import as_function


class TransposedConvolution(Convolution):
    """What transposed convolutional layers share; see `Convolution` for the arguments.

    The output is `strides` times as large as the input. The kernel is [spatial..., filters, in].
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
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
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            1,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` [spatial..., filters, in] and `bias` [filters]."""
        channels = self.input_channels(input_shape)
        self.kernel = self.add_kernel((*self.kernel_size, self.filters, channels))
        self.add_bias()
        self.built = True

    def convolved(self, inputs: Any) -> Any:
        """`inputs` painted with the kernel."""
        function = getattr(api, f"conv{self.rank}d_transpose")
        outputs = function(
            inputs,
            self.kernel,
            self._output_sizes(inputs),
            self.spread(self.strides),
            self.padding.upper(),
            data_format=self.operation_format,
        )
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return outputs

    def _output_sizes(self, inputs: Any) -> Any:
        """The shape of the output: numbers where they are known, tensors else."""
        known = inputs.shape.as_list()
        sizes = [self._size(inputs, axis, size) for axis, size in enumerate(known)]
        if all(isinstance(size, int) for size in sizes):
            return sizes
        return api.stack(sizes)

    def _size(self, inputs: Any, axis: int, known: int | None) -> Any:
        first = self.data_format == "channels_first"
        if axis == (1 if first else self.rank + 1):
            return self.filters
        size = api.shape(inputs)[axis] if known is None else known
        if axis == 0:
            return size
        spatial = axis - (2 if first else 1)
        return deconv_output_length(
            size, self.kernel_size[spatial], self.padding, self.strides[spatial]
        )

    def output_length(self, axis: int, size: int | None) -> int | None:
        """The output's size along a spatial axis."""
        length: int | None = deconv_output_length(
            size, self.kernel_size[axis], self.padding, self.strides[axis]
        )
        return length


class Conv2DTranspose(TransposedConvolution):
    """A transposed convolution over images: it makes larger images of smaller ones.

    >>> import workbench as tf
    >>> layer = tf.layers.Conv2DTranspose(3, 5, strides=2, padding="same")
    >>> layer(tf.ones([1, 7, 7, 16])).shape.as_list()
    [1, 14, 14, 3]
    """

    rank = 2


class Conv3DTranspose(TransposedConvolution):
    """A transposed convolution over volumes."""

    rank = 3


conv2d_transpose = as_function(
    Conv2DTranspose, "conv2d_transpose", "The output of a new `Conv2DTranspose` layer."
)
conv3d_transpose = as_function(
    Conv3DTranspose, "conv3d_transpose", "The output of a new `Conv3DTranspose` layer."
)
