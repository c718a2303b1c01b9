"""The LSTM cell with layer normalisation and recurrent dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.core.platform import logging
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.lstm import LSTMStateTuple

#: Keeps rows without variance finite.
_EPSILON = 1e-12


class LayerNormBasicLSTMCell(RNNCell):
    """The basic LSTM cell whose gates and memory are normalised within each row.

    Layer normalisation is that of Ba et al. (2016), with gains that start at `norm_gain` and shifts
    at `norm_shift`; without `layer_norm` there is a bias instead. The candidate is dropped with
    `dropout_keep_prob` (Semeniuta et al., 2016).

    >>> import workbench as tf
    >>> cell = tf.contrib.rnn.LayerNormBasicLSTMCell(3)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> [v.name.split("/", 1)[1] for v in cell.variables][:3]
    ['kernel:0', 'input/gamma:0', 'input/beta:0']
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        activation: Callable[[Any], Any] | None = None,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: int | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        if input_size is not None:
            logging.warn("%s: The input_size parameter is deprecated.", self)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._activation = activation or api.tanh
        self._layer_norm = layer_norm
        self._gain = norm_gain
        self._shift = norm_shift
        self._keep_prob = dropout_keep_prob
        self._seed = dropout_prob_seed

    @property
    def state_size(self) -> Any:
        """LSTMStateTuple(units, units)."""
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The new h, and the new state."""
        c, h = state
        joined = api.concat([inputs, h], 1)
        dtype = inputs.dtype.base_dtype
        shape = [joined.get_shape()[-1].value, 4 * self._num_units]
        gates = api.matmul(joined, get_variable("kernel", shape, dtype))
        if not self._layer_norm:
            gates = api.bias_add(gates, get_variable("bias", shape[1:], dtype))
        i, j, f, o = (
            self._normed(gate, name)
            for gate, name in zip(
                api.split(gates, 4, axis=1),
                ("input", "transform", "forget", "output"),
                strict=True,
            )
        )
        candidate = self._activation(j)
        if not isinstance(self._keep_prob, (int, float)) or self._keep_prob < 1:
            candidate = api.dropout(candidate, self._keep_prob, seed=self._seed)
        new_c = c * api.sigmoid(f + self._forget_bias) + api.sigmoid(i) * candidate
        new_c = self._normed(new_c, "state")
        new_h = self._activation(new_c) * api.sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)

    def _normed(self, rows: Any, scope: str) -> Any:
        if not self._layer_norm:
            return rows
        shape, dtype = [self._num_units], rows.dtype.base_dtype
        with variable_scope(scope):
            gain = get_variable("gamma", shape, dtype, constant_initializer(self._gain))
            shift = get_variable("beta", shape, dtype, constant_initializer(self._shift))
        mean, variance = api.moments(rows, [1], keep_dims=True)
        return api.batch_normalization(rows, mean, variance, shift, gain, _EPSILON)
