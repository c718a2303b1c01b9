"""The LSTM cell that takes in as much as it forgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.lstm import LSTMStateTuple, ProjectedLSTM, warn_of_concatenated_state
from workbench.train.recurrent.sharded import sharded_weights


class CoupledInputForgetGateLSTMCell(ProjectedLSTM, RNNCell):
    """An LSTM cell without an input gate (Greff et al., 2015): c' = f * c + (1 - f) * candidate.

    The arguments are those of `tf.nn.rnn_cell.LSTMCell`.

    >>> import workbench as tf
    >>> cell = tf.contrib.rnn.CoupledInputForgetGateLSTMCell(3, use_peepholes=True)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> [v.name.split("/")[1] for v in cell.variables]
    ['W_0:0', 'B:0', 'W_F_diag:0', 'W_O_diag:0']
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int = 1,
        num_proj_shards: int = 1,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        if not state_is_tuple:
            warn_of_concatenated_state(self)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._initializer = initializer
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._shards = num_unit_shards, num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation or api.tanh

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, and the new state."""
        units, dtype = self._num_units, inputs.dtype.base_dtype
        sizes = [units, self.output_size]
        c, h = state if self._state_is_tuple else api.split(state, sizes, axis=1)
        depth = inputs.get_shape().with_rank(2)[1].value
        if depth is None:
            raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            kernel = sharded_weights(
                "W", [depth + self.output_size, 3 * units], dtype, self._shards[0]
            )
            bias = get_variable("B", [3 * units], dtype, zeros_initializer())
            gates = api.bias_add(api.matmul(api.concat([inputs, h], 1), kernel), bias)
            j, f, o = api.split(gates, 3, axis=1)
            if self._use_peepholes:
                f = f + get_variable("W_F_diag", [units], dtype) * c
            forget = api.sigmoid(f + self._forget_bias)
            new_c = forget * c + (1 - forget) * self._activation(j)
            if self._use_peepholes:
                o = o + get_variable("W_O_diag", [units], dtype) * new_c
            output = api.sigmoid(o) * self._activation(new_c)
            if self._num_proj is not None:
                shape = [units, self._num_proj]
                output = api.matmul(output, sharded_weights("W_P", shape, dtype, self._shards[1]))
                if self._proj_clip is not None:
                    output = api.clip_by_value(output, -self._proj_clip, self._proj_clip)
        if self._state_is_tuple:
            return output, LSTMStateTuple(new_c, output)
        return output, api.concat([new_c, output], 1)
