"""Gated recurrent units with the interface of TensorFlow's block operations."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.core.ops.state.shared_variables import get_variable
from workbench.train.recurrent.cell import RNNCell


class GRUBlockCell(RNNCell):
    """The gated recurrent unit with the arguments and names of TensorFlow's fused operation.

    `cell_size` is the old name of `num_units`. Its variables are "w_ru", "b_ru", "w_c" and "b_c"
    in the scope "GRUBlockCell".
    """

    _NAMES = ("w_ru", "b_ru", "w_c", "b_c")

    def __init__(
        self,
        num_units: int | None = None,
        cell_size: int | None = None,
        reuse: Any = None,
        name: str | None = None,
    ) -> None:
        if (cell_size is None) == (num_units is None):
            raise ValueError("Exactly one of num_units or cell_size must be provided.")
        super().__init__(_reuse=reuse, name=name or type(self).__name__)
        self._num_units = cell_size if num_units is None else num_units

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
        units: Any = self._num_units
        depth = inputs.get_shape().with_rank(2)[1].value
        if depth is None:
            raise ValueError(f"Expecting input_size to be set: {inputs.get_shape()}")
        given = state.get_shape().with_rank(2)[1].value
        if given != units:
            raise ValueError(f"Shape of h_prev[1] incorrect: cell_size {units} vs {given}")
        names, dtype = self._NAMES, inputs.dtype.base_dtype
        both = get_variable(names[0], [depth + units, 2 * units], dtype)
        both_bias = get_variable(names[1], [2 * units], dtype, constant_initializer(1.0))
        kernel = get_variable(names[2], [depth + units, units], dtype)
        bias = get_variable(names[3], [units], dtype, constant_initializer(0.0))
        gates = api.bias_add(api.matmul(api.concat([inputs, state], 1), both), both_bias)
        reset, update = api.split(api.sigmoid(gates), 2, axis=1)
        candidate = api.matmul(api.concat([inputs, reset * state], 1), kernel)
        candidate = api.tanh(api.bias_add(candidate, bias))
        output = update * state + (1 - update) * candidate
        return output, output


class GRUBlockCellV2(GRUBlockCell):
    """`GRUBlockCell` with the names of variables that `GRUCell` has, so that checkpoints fit."""

    _NAMES = ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")
