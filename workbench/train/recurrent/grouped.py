"""The LSTM cell of several groups of units that do not see each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.linear import linear
from workbench.train.recurrent.lstm import LSTMStateTuple


class GLSTMCell(RNNCell):
    """The group LSTM of Kuchaiev and Ginsburg (2017): units in groups with weights of their own.

    Inputs have as many columns as the output. `num_proj` is the size of a projection of the output,
    which joins the groups; both sizes must be multiples of `number_of_groups`.
    """

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        num_proj: int | None = None,
        number_of_groups: int = 1,
        forget_bias: float = 1.0,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        if num_units % number_of_groups:
            raise ValueError("num_units must be divisible by number_of_groups")
        if num_proj and num_proj % number_of_groups:
            raise ValueError("num_proj must be divisible by number_of_groups")
        self._num_units = num_units
        self._initializer = initializer
        self._num_proj = num_proj
        self._groups = number_of_groups
        self._forget_bias = forget_bias
        self._activation = activation or api.tanh

    @property
    def state_size(self) -> Any:
        """LSTMStateTuple(units, output size)."""
        return LSTMStateTuple(self._num_units, self.output_size)

    @property
    def output_size(self) -> Any:
        """The size of the projection, or the number of units without one."""
        return self._num_proj or self._num_units

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, and the new state."""
        c, h = state
        units, dtype = self._num_units, inputs.dtype.base_dtype
        width = self.output_size // self._groups
        gates: list[list[Any]] = [[], [], [], []]
        with variable_scope(get_variable_scope(), initializer=self._initializer):
            for group in range(self._groups):
                span = slice(group * width, (group + 1) * width)
                with variable_scope(f"group{group}"):
                    joined = api.concat([inputs[:, span], h[:, span]], 1)
                    own = linear(joined, 4 * units // self._groups, False)
                for parts, part in zip(gates, api.split(own, 4, axis=1), strict=True):
                    parts.append(part)
            i, j, f, o = (
                api.bias_add(
                    api.concat(parts, 1),
                    get_variable(f"bias_{name}", [units], dtype, constant_initializer(0.0)),
                )
                for parts, name in zip(gates, "ijfo", strict=True)
            )
        new_c = api.sigmoid(f + self._forget_bias) * c + api.sigmoid(i) * api.tanh(j)
        output: Any = api.sigmoid(o) * self._activation(new_c)
        if self._num_proj is not None:
            with variable_scope("projection"):
                output = linear(output, self._num_proj, False)
        return output, LSTMStateTuple(new_c, output)
