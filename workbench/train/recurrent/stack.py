"""Cells on top of each other."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.context import name_scope
from workbench.core.ops import api
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell


class MultiRNNCell(RNNCell):
    """Several cells, each of which takes the output of the one before as input.

    The state is a tuple of the cells' states, or with `state_is_tuple=False` all of them side by
    side in one tensor. Every cell needs to be an object of its own.

    >>> import workbench as tf
    >>> cells = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(n) for n in (4, 2)])
    >>> output, state = cells(tf.ones([1, 3]), cells.zero_state(1, tf.float32))
    >>> output.shape.as_list(), [s.shape.as_list() for s in state]
    ([1, 2], [[1, 4], [1, 2]])
    """

    def __init__(self, cells: Any, state_is_tuple: bool = True) -> None:
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not nest.is_sequence(cells):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        self._cells = cells
        self._state_is_tuple = state_is_tuple
        sizes = [cell.state_size for cell in cells]
        if not state_is_tuple and any(nest.is_sequence(size) for size in sizes):
            raise ValueError(
                "Some cells return tuples of states, but the flag state_is_tuple is not set.  "
                f"State sizes are: {sizes}"
            )

    @property
    def state_size(self) -> Any:
        """The tuple of the cells' state sizes, or their sum without tuples."""
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """The output size of the last cell."""
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """The tuple of the cells' states of zeros, or zeros side by side."""
        if not self._state_is_tuple:
            return super().zero_state(batch_size, dtype)
        with name_scope(None, type(self).__name__ + "ZeroState", [batch_size]):
            return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output of the last cell, and all new states."""
        states = self._states(state)
        new_states = []
        for number, (cell, own) in enumerate(zip(self._cells, states, strict=True)):
            with variable_scope(f"cell_{number}"):
                inputs, new = cell(inputs, own)
            new_states.append(new)
        return inputs, tuple(new_states) if self._state_is_tuple else api.concat(new_states, 1)

    def _states(self, state: Any) -> Any:
        if not self._state_is_tuple:
            return api.split(state, [cell.state_size for cell in self._cells], axis=1)
        if not nest.is_sequence(state) or len(state) != len(self._cells):
            raise ValueError(
                f"Expected state to be a tuple of length {len(self._cells)}, but received: {state}"
            )
        return state
