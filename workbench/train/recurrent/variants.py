"""Further cells: update gates (UGRNN), intersection, and the cell that a search has found (NAS)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.ops import api
from workbench.core.ops.initializers import zeros_initializer
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.linear import linear
from workbench.train.recurrent.lstm import LSTMStateTuple


def _depth(inputs: Any) -> int:
    size = inputs.get_shape().with_rank(2)[1].value
    if size is None:
        raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
    return int(size)


class UGRNNCell(RNNCell):
    """The update gate cell of Collins et al. (2017): between a plain cell and a GRU.

    With g, c = split(linear([inputs, state])): the output and next state are
    g * state + (1 - g) * activation(c), where g = sigmoid(g + forget_bias).
    """

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        forget_bias: float = 1.0,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._initializer = initializer
        self._forget_bias = forget_bias
        self._activation = activation or api.tanh

    @property
    def state_size(self) -> Any:
        """The number of units."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, twice."""
        _depth(inputs)
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            both = linear(api.concat([inputs, state], 1), 2 * self._num_units, True)
        gate, candidate = api.split(both, 2, axis=1)
        gate = api.sigmoid(gate + self._forget_bias)
        output = gate * state + (1.0 - gate) * self._activation(candidate)
        return output, output


class IntersectionRNNCell(RNNCell):
    """The intersection cell of Collins et al. (2017), gated in time and in depth.

    The output mixes the inputs and `y_activation` of a linear map, so both have one size: inputs of
    another are mapped to it first, where `num_in_proj` is given.
    """

    def __init__(
        self,
        num_units: int,
        num_in_proj: int | None = None,
        initializer: Any = None,
        forget_bias: float = 1.0,
        y_activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._num_in_proj = num_in_proj
        self._initializer = initializer
        self._forget_bias = forget_bias
        self._y_activation = y_activation or api.relu

    @property
    def state_size(self) -> Any:
        """The number of units."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """The number of units."""
        return self._num_units

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, and the new state."""
        units = self._num_units
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            if _depth(inputs) != units:
                if not self._num_in_proj:
                    raise ValueError(
                        "Must have input size == output size for Intersection RNN. To fix, "
                        "num_in_proj should be set to num_units at cell init."
                    )
                with variable_scope("in_projection"):
                    inputs = linear(inputs, units, True)
            everything = linear(api.concat([inputs, state], 1), 4 * units, True)
        keep_state, new_state, keep_input, new_output = api.split(everything, 4, axis=1)
        keep_state = api.sigmoid(keep_state + self._forget_bias)
        keep_input = api.sigmoid(keep_input + self._forget_bias)
        state = keep_state * state + (1.0 - keep_state) * api.tanh(new_state)
        output = keep_input * inputs + (1.0 - keep_input) * self._y_activation(new_output)
        return output, state


class NASCell(RNNCell):
    """The cell that neural architecture search has found (Zoph and Le, 2016).

    `num_proj` is the size of a linear projection of the output.
    """

    def __init__(
        self,
        num_units: int,
        num_proj: int | None = None,
        use_biases: bool = False,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._num_proj = num_proj
        self._use_biases = use_biases

    @property
    def state_size(self) -> Any:
        """LSTMStateTuple(units, output size)."""
        return LSTMStateTuple(self._num_units, self.output_size)

    @property
    def output_size(self) -> Any:
        """The size of the projection, or the number of units without one."""
        return self._num_units if self._num_proj is None else self._num_proj

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, and the new state."""
        memory, output = state
        units, dtype = self._num_units, inputs.dtype.base_dtype
        recurrent = get_variable("recurrent_kernel", [self.output_size, 8 * units], dtype)
        kernel = get_variable("kernel", [_depth(inputs), 8 * units], dtype)
        by_state = api.matmul(output, recurrent)
        if self._use_biases:
            bias = get_variable("bias", [8 * units], dtype, zeros_initializer())
            by_state = api.bias_add(by_state, bias)
        h = api.split(by_state, 8, axis=1)
        x = api.split(api.matmul(inputs, kernel), 8, axis=1)
        # The tree that was found: eight sums of inputs and state, one of them a product.
        first = api.tanh(api.sigmoid(x[0] + h[0]) * api.relu(x[1] + h[1]))
        second = api.tanh(api.sigmoid(x[2] + h[2]) + api.relu(x[3] * h[3]))
        third = api.tanh(api.tanh(x[4] + h[4]) * api.sigmoid(x[5] + h[5]))
        fourth = api.sigmoid(api.tanh(x[6] + h[6]) + api.sigmoid(x[7] + h[7]))
        new_memory = api.tanh(first + memory) * second
        new_output = api.tanh(new_memory * api.tanh(third + fourth))
        if self._num_proj is not None:
            shape = [units, self._num_proj]
            new_output = api.matmul(new_output, get_variable("projection_weights", shape, dtype))
        return new_output, LSTMStateTuple(new_memory, new_output)
