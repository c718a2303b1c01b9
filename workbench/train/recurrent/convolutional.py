"""LSTM cells whose products are convolutions."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.state.shared_variables import get_variable
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.lstm import LSTMStateTuple


class ConvLSTMCell(RNNCell):
    """The convolutional LSTM of Shi et al. (2015), over `conv_ndims` axes of space.

    `input_shape` is [*space, channels], `kernel_shape` has a size for each axis of space. With
    `skip_connection` the inputs are joined to the outputs.

    >>> import workbench as tf
    >>> cell = tf.contrib.rnn.ConvLSTMCell(2, [8, 8, 3], 4, [3, 3])
    >>> output, state = cell(tf.ones([1, 8, 8, 3]), cell.zero_state(1, tf.float32))
    >>> output.shape.as_list()
    [1, 8, 8, 4]
    """

    def __init__(
        self,
        conv_ndims: int,
        input_shape: Any,
        output_channels: int,
        kernel_shape: Any,
        use_bias: bool = True,
        skip_connection: bool = False,
        forget_bias: float = 1.0,
        initializers: Any = None,
        name: str = "conv_lstm_cell",
    ) -> None:
        super().__init__(name=name)
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"Invalid input_shape {input_shape} for conv_ndims={conv_ndims}.")
        self._space = conv_ndims
        self._input_shape = list(input_shape)
        self._output_channels = output_channels
        self._kernel_shape = list(kernel_shape)
        self._use_bias = use_bias
        self._skip_connection = skip_connection
        self._forget_bias = forget_bias
        self._initializer = initializers

    @property
    def state_size(self) -> Any:
        """LSTMStateTuple of two shapes [*space, channels]."""
        size = TensorShape([*self._input_shape[:-1], self._output_channels])
        return LSTMStateTuple(size, size)

    @property
    def output_size(self) -> Any:
        """The shape [*space, channels], those of the inputs counted where they are joined."""
        more = self._input_shape[-1] if self._skip_connection else 0
        return TensorShape([*self._input_shape[:-1], self._output_channels + more])

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, and the new state."""
        c, h = state
        joined = api.concat([inputs, h], self._space + 1)
        gates = self._convolved(joined, 4 * self._output_channels)
        i, j, f, o = api.split(gates, 4, axis=self._space + 1)
        new_c = api.sigmoid(f + self._forget_bias) * c + api.sigmoid(i) * api.tanh(j)
        new_h = api.tanh(new_c) * api.sigmoid(o)
        output = api.concat([new_h, inputs], -1) if self._skip_connection else new_h
        return output, LSTMStateTuple(new_c, new_h)

    def _convolved(self, inputs: Any, features: int) -> Any:
        shape = inputs.get_shape().as_list()
        dtype = inputs.dtype.base_dtype
        kernel = get_variable(
            "kernel", [*self._kernel_shape, shape[-1], features], dtype, self._initializer
        )
        if self._space == 1:
            result = api.conv1d(inputs, kernel, 1, "SAME")
        else:
            convolve = api.conv2d if self._space == 2 else api.conv3d
            result = convolve(inputs, kernel, [1] * len(shape), "SAME")
        if not self._use_bias:
            return result
        return result + get_variable("biases", [features], dtype, zeros_initializer())


class Conv1DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over one axis of space."""

    def __init__(self, name: str = "conv_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over two axes of space."""

    def __init__(self, name: str = "conv_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` over three axes of space."""

    def __init__(self, name: str = "conv_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=3, name=name, **kwargs)
