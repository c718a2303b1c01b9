"""A cell that attends to what it has put out."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.states import check_cell
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.recurrent.cell import RNNCell
from workbench.train.recurrent.linear import linear
from workbench.train.recurrent.lstm import warn_of_concatenated_state


class AttentionCellWrapper(RNNCell):
    """A cell with attention to its last `attn_length` outputs (Bahdanau et al., 2014).

    The state is (state of the cell, attention [batch, attn_size], the last outputs
    [batch, attn_length * attn_size]), or all side by side without `state_is_tuple`. `attn_size`,
    the size of the outputs, is the cell's by default, `attn_vec_size`, the size in which they are
    compared, is `attn_size`.

    >>> import workbench as tf
    >>> cell = tf.contrib.rnn.AttentionCellWrapper(tf.contrib.rnn.GRUCell(3), attn_length=5)
    >>> output, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    >>> output.shape.as_list(), cell.state_size
    ([2, 3], (3, 3, 15))
    """

    def __init__(
        self,
        cell: Any,
        attn_length: int,
        attn_size: int | None = None,
        attn_vec_size: int | None = None,
        input_size: int | None = None,
        state_is_tuple: bool = True,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        check_cell(cell, "The parameter cell is not RNNCell")
        if nest.is_sequence(cell.state_size) and not state_is_tuple:
            raise ValueError(
                "Cell returns tuple of states, but the flag state_is_tuple is not set. State size "
                f"is: {cell.state_size}"
            )
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        if not state_is_tuple:
            warn_of_concatenated_state(self)
        self._cell = cell
        self._length = attn_length
        self._size: int = cell.output_size if attn_size is None else attn_size
        self._compared_size: int = self._size if attn_vec_size is None else attn_vec_size
        self._input_size = input_size
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """(state size of the cell, attention size, size of the last outputs), or their sum."""
        sizes = self._cell.state_size, self._size, self._size * self._length
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """The attention size."""
        return self._size

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The output, and the new state."""
        if not self._state_is_tuple:
            sizes = [self._cell.state_size, self._size, self._size * self._length]
            state = api.split(state, sizes, axis=1)
        own, attention, past = state
        past = api.reshape(past, [-1, self._length, self._size])
        size = self._input_size or inputs.get_shape().as_list()[1]
        output, own = self._cell(linear([inputs, attention], size, True), own)
        attention = self._attend(api.concat(nest.flatten(own), 1), past)
        with variable_scope("attn_output_projection"):
            output = linear([output, attention], self._size, True)
        past = api.concat([past[:, 1:], api.expand_dims(output, 1)], 1)
        new_state = own, attention, api.reshape(past, [-1, self._length * self._size])
        return output, new_state if self._state_is_tuple else api.concat(new_state, 1)

    def _attend(self, query: Any, past: Any) -> Any:
        """The mean of the past [batch, length, size], weighed by how well it fits the query."""
        compared = self._compared_size
        with variable_scope("attention"):
            # A convolution's filter of one pixel: checkpoints have it in that shape.
            weights = get_variable("attn_w", [1, 1, self._size, compared], past.dtype)
            scale = get_variable("attn_v", [compared], past.dtype)
            features = api.matmul(
                api.reshape(past, [-1, self._size]), api.reshape(weights, [self._size, compared])
            )
            features = api.reshape(features, [-1, self._length, compared])
            asked = api.expand_dims(linear(query, compared, True), 1)
        fit = api.softmax(api.reduce_sum(scale * api.tanh(features + asked), 2))
        return api.reduce_sum(api.expand_dims(fit, 2) * past, 1)
