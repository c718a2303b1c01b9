"""The cells without a memory of their own: the plain recurrent one and the gated one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.train.recurrent.cell import BuiltCell, PreparedStep


class BasicRNNCell(BuiltCell):
    """output = next state = activation([inputs, state] @ kernel + bias).

    `activation` is tanh by default.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.BasicRNNCell(3)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> [(v.name, v.shape.as_list()) for v in cell.variables]
    [('basic_rnn_cell/kernel:0', [7, 3]), ('basic_rnn_cell/bias:0', [3])]
    """

    def __init__(
        self,
        num_units: int,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
        name: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self._num_units = num_units
        self._activation = activation or api.tanh

    @property
    def state_size(self) -> Any:
        """The number of units."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` [inputs + units, units] and `bias` [units]."""
        depth = self._input_depth(input_shape) + self._num_units
        self._kernel = self.add_variable("kernel", [depth, self._num_units])
        self._bias = self._add_bias("bias", self._num_units, constant_initializer(0.0))
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, twice."""
        product = api.matmul(api.concat([inputs, state], 1), self._kernel)
        output = self._activation(api.bias_add(product, self._bias))
        return output, output

    def _prepare(self, inputs: Any, depth: int) -> tuple[Any, PreparedStep]:
        kernel: Any = convert_to_tensor(self._kernel)
        recurrent = kernel[depth:]

        def step(ready: Any, state: Any) -> tuple[Any, Any]:
            output = self._activation(ready + api.matmul(state, recurrent))
            return output, output

        return api.bias_add(api.matmul(inputs, kernel[:depth]), self._bias), step


class GRUCell(BuiltCell):
    """The gated recurrent unit of Cho et al. (2014), with the reset gate before the product.

    With r, u = sigmoid([inputs, state] @ gates): candidate = activation([inputs, r * state] @ ...)
    and output = next state = u * state + (1 - u) * candidate. The biases of the gates start at 1
    unless `bias_initializer` says otherwise.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.GRUCell(3)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> [v.name for v in cell.variables]
    ['gru_cell/gates/kernel:0', 'gru_cell/gates/bias:0', 'gru_cell/candidate/kernel:0',
    'gru_cell/candidate/bias:0']
    """

    def __init__(
        self,
        num_units: int,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self._num_units = num_units
        self._activation = activation or api.tanh
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer

    @property
    def state_size(self) -> Any:
        """The number of units."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes kernels and biases of the two gates, side by side, and of the candidate."""
        units, given = self._num_units, self._bias_initializer
        depth = self._input_depth(input_shape) + units
        initializer = self._kernel_initializer
        self._gate_kernel = self.add_variable(
            "gates/kernel", [depth, 2 * units], initializer=initializer
        )
        self._gate_bias = self._add_bias(
            "gates/bias", 2 * units, constant_initializer(1.0) if given is None else given
        )
        self._candidate_kernel = self.add_variable(
            "candidate/kernel", [depth, units], initializer=initializer
        )
        self._candidate_bias = self._add_bias(
            "candidate/bias", units, constant_initializer(0.0) if given is None else given
        )
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, twice."""
        gates = api.matmul(api.concat([inputs, state], 1), self._gate_kernel)
        gates = api.sigmoid(api.bias_add(gates, self._gate_bias))
        reset, update = api.split(gates, 2, axis=1)
        candidate = api.matmul(api.concat([inputs, reset * state], 1), self._candidate_kernel)
        candidate = self._activation(api.bias_add(candidate, self._candidate_bias))
        output = update * state + (1 - update) * candidate
        return output, output

    def _prepare(self, inputs: Any, depth: int) -> tuple[Any, PreparedStep]:
        units = self._num_units
        gates: Any = convert_to_tensor(self._gate_kernel)
        candidates: Any = convert_to_tensor(self._candidate_kernel)
        by_input = api.concat([gates[:depth], candidates[:depth]], 1)
        biases = api.concat([self._gate_bias, self._candidate_bias], 0)
        gates, candidates = gates[depth:], candidates[depth:]

        def step(ready: Any, state: Any) -> tuple[Any, Any]:
            for_gates, for_candidate = api.split(ready, [2 * units, units], axis=1)
            both = api.sigmoid(for_gates + api.matmul(state, gates))
            reset, update = api.split(both, 2, axis=1)
            candidate = for_candidate + api.matmul(reset * state, candidates)
            output = update * state + (1 - update) * self._activation(candidate)
            return output, output

        return api.bias_add(api.matmul(inputs, by_input), biases), step
