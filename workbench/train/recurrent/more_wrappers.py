"""Cells around another cell: highway connections, and compilation."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.core.ops.state.shared_variables import get_variable
from workbench.train.recurrent.wrappers import CellWrapper


class HighwayWrapper(CellWrapper):
    """A cell whose inputs pass by it through a gate: inputs * carry + outputs * transform.

    carry = sigmoid(inputs @ carry_w + carry_b), where the bias starts at `carry_bias_init`;
    transform is 1 - carry, or a gate of its own without `couple_carry_transform_gates`. Inputs and
    outputs need one shape.
    """

    def __init__(
        self, cell: Any, couple_carry_transform_gates: bool = True, carry_bias_init: float = 1.0
    ) -> None:
        super().__init__(cell)
        self._coupled = couple_carry_transform_gates
        self._carry_bias = carry_bias_init

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """The mixed output, and the new state."""
        outputs, new_state = self._cell(inputs, state, scope=scope)
        nest.assert_same_structure(inputs, outputs)
        for before, after in zip(nest.flatten(inputs), nest.flatten(outputs), strict=True):
            before.get_shape().assert_is_compatible_with(after.get_shape())
        return nest.map_structure(self._mixed, inputs, outputs), new_state

    def _mixed(self, before: Any, after: Any) -> Any:
        carry = _gate("carry", before, self._carry_bias)
        transform = 1 - carry if self._coupled else _gate("transform", before, -self._carry_bias)
        return before * carry + after * transform


def _gate(name: str, inputs: Any, bias: float) -> Any:
    size = inputs.get_shape().with_rank(2)[1].value
    weights = get_variable(f"{name}_w", [size, size])
    offsets = get_variable(f"{name}_b", [size], initializer=constant_initializer(bias))
    return api.sigmoid(api.xw_plus_b(inputs, weights, offsets))


class CompiledWrapper(CellWrapper):
    """A cell that is to be compiled: here all that can be is compiled, so it is the cell itself."""

    def __init__(self, cell: Any, compile_stateful: bool = False) -> None:
        super().__init__(cell)
        self._compile_stateful = compile_stateful

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """The output and the new state of the cell inside."""
        result: tuple[Any, Any] = self._cell(inputs, state, scope=scope)
        return result
