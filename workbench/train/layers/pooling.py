"""Pooling layers: the largest value or the mean of each window."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.ops import api
from workbench.train.layers.arguments import (
    conv_output_length,
    convert_data_format,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
)
from workbench.train.layers.base import Layer
from workbench.train.layers.functions import as_function
from workbench.train.layers.inputs import InputSpec


class Pooling(Layer):
    """What pooling layers share.

    `pool_size` and `strides` are one int, or one for each spatial axis; `padding` is "valid" or
    "same"; `data_format` "channels_last" or "channels_first".
    """

    #: The number of spatial axes.
    rank = 0
    #: The beginning of the names of the operations.
    _operation = ""

    def __init__(
        self,
        pool_size: Any,
        strides: Any,
        padding: str = "valid",
        data_format: str = "channels_last",
        name: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = normalize_tuple(pool_size, self.rank, "pool_size")
        self.strides = normalize_tuple(strides, self.rank, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The pooled `inputs`."""
        size, strides = self.pool_size, self.strides
        if self.rank == 1:
            # A row is an image of width 1.
            size, strides = (*size, 1), (*strides, 1)
            last = 3 if self.data_format == "channels_first" else 2
            return api.squeeze(self._pooled(api.expand_dims(inputs, last), size, strides), [last])
        return self._pooled(inputs, size, strides)

    def _pooled(self, inputs: Any, size: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        rank = len(size)
        function = getattr(api, self._operation if rank == 2 else f"{self._operation}3d")
        first = self.data_format == "channels_first"
        return function(
            inputs,
            [1, 1, *size] if first else [1, *size, 1],
            [1, 1, *strides] if first else [1, *strides, 1],
            self.padding.upper(),
            data_format=convert_data_format(self.data_format, rank + 2),
        )

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The shape of the output for inputs of this shape."""
        shape = as_shape(input_shape).with_rank(self.rank + 2)
        start = 2 if self.data_format == "channels_first" else 1
        dims: list[Any] = list(shape)
        for axis, (size, stride) in enumerate(zip(self.pool_size, self.strides, strict=True)):
            length = shape[start + axis].value
            dims[start + axis] = conv_output_length(length, size, self.padding, stride)
        return TensorShape(dims)


class MaxPooling1D(Pooling):
    """The largest value of each window of a row.

    >>> import workbench as tf
    >>> rows = tf.constant([[[1.0], [3.0], [2.0], [0.0]]])
    >>> tf.layers.MaxPooling1D(2, 2)(rows).eval().ravel().tolist()
    [3.0, 2.0]
    """

    rank, _operation = 1, "max_pool"


class MaxPooling2D(Pooling):
    """The largest value of each window of an image, for each channel."""

    rank, _operation = 2, "max_pool"


class MaxPooling3D(Pooling):
    """The largest value of each window of a volume, for each channel."""

    rank, _operation = 3, "max_pool"


class AveragePooling1D(Pooling):
    """The mean of each window of a row."""

    rank, _operation = 1, "avg_pool"


class AveragePooling2D(Pooling):
    """The mean of each window of an image, for each channel.

    >>> import workbench as tf
    >>> tf.layers.AveragePooling2D(2, 2)(tf.ones([1, 4, 6, 3])).shape.as_list()
    [1, 2, 3, 3]
    """

    rank, _operation = 2, "avg_pool"


class AveragePooling3D(Pooling):
    """The mean of each window of a volume, for each channel."""

    rank, _operation = 3, "avg_pool"


def _function(layer: type[Pooling], name: str) -> Any:
    return as_function(layer, name, f"The output of a `{layer.__name__}` layer.", shares=False)


max_pooling1d = _function(MaxPooling1D, "max_pooling1d")
max_pooling2d = _function(MaxPooling2D, "max_pooling2d")
max_pooling3d = _function(MaxPooling3D, "max_pooling3d")
average_pooling1d = _function(AveragePooling1D, "average_pooling1d")
average_pooling2d = _function(AveragePooling2D, "average_pooling2d")
average_pooling3d = _function(AveragePooling3D, "average_pooling3d")
