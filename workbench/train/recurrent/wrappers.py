"""Cells around another cell: residual connections and devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.context import device as on_device
from workbench.core.graph.context import name_scope
from workbench.core.ops.nn.recurrent.states import check_cell
from workbench.train.recurrent.cell import RNNCell


class OuterCell(RNNCell):
    """A cell around another cell, whose state and output it has the sizes of."""

    _cell: Any

    @property
    def state_size(self) -> Any:
        """The state size of the cell inside."""
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        """The output size of the cell inside."""
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """The zero state of the cell inside."""
        with name_scope(None, type(self).__name__ + "ZeroState", [batch_size]):
            return self._cell.zero_state(batch_size, dtype)


class CellWrapper(OuterCell):
    """A cell that has the state, the output and the variables of the cell it is around."""

    def __init__(self, cell: Any) -> None:
        check_cell(cell, "The parameter cell is not a RNNCell")
        super().__init__()
        self._cell = cell

    @property
    def trainable_weights(self) -> list[Any]:
        """Those of the cell inside."""
        return list(self._cell.trainable_weights)

    @property
    def non_trainable_weights(self) -> list[Any]:
        """Those of the cell inside."""
        return list(self._cell.non_trainable_weights)


class ResidualWrapper(CellWrapper):
    """A cell whose inputs are added to its outputs.

    `residual_fn(inputs, outputs)` combines them in another way. Without it both need one structure
    and one shape.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.ResidualWrapper(tf.nn.rnn_cell.GRUCell(3))
    >>> output, state = cell(tf.ones([2, 3]), cell.zero_state(2, tf.float32))
    >>> output.shape.as_list()
    [2, 3]
    """

    def __init__(self, cell: Any, residual_fn: Callable[[Any, Any], Any] | None = None) -> None:
        super().__init__(cell)
        self._residual_fn = residual_fn or _sum

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """The combined output, and the new state."""
        outputs, new_state = self._cell(inputs, state, scope=scope)
        return self._residual_fn(inputs, outputs), new_state


def _sum(inputs: Any, outputs: Any) -> Any:
    nest.assert_same_structure(inputs, outputs)
    for before, after in zip(nest.flatten(inputs), nest.flatten(outputs), strict=True):
        before.get_shape().assert_is_compatible_with(after.get_shape())
    return nest.map_structure(lambda before, after: before + after, inputs, outputs)


class DeviceWrapper(CellWrapper):
    """A cell whose operations have their place on `device`, a name or a function of operations."""

    def __init__(self, cell: Any, device: Any) -> None:
        super().__init__(cell)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """The zero state of the cell inside."""
        with on_device(self._device):
            return super().zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """The output and the new state of the cell inside."""
        with on_device(self._device):
            result: tuple[Any, Any] = self._cell(inputs, state, scope=scope)
            return result
