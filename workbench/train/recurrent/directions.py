"""Bidirectional networks on top of each other."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.dynamic import bidirectional_dynamic_rnn
from workbench.core.ops.nn.recurrent.static import static_bidirectional_rnn
from workbench.core.ops.state.variable_scope import variable_scope


def _checked(cells: Any, states: Any, name: str, count: int | None = None) -> list[Any]:
    """The initial states of the layers, None where there are none; ValueError where lists do not
    fit."""
    if not cells:
        raise ValueError(f"Must specify at least one {name} cell for BidirectionalRNN.")
    if not isinstance(cells, list):
        raise ValueError(f"cells_{name} must be a list of RNNCells (one per layer).")
    if count is not None and len(cells) != count:
        raise ValueError("Forward and Backward cells must have the same depth.")
    if states is None:
        return [None] * len(cells)
    if not isinstance(states, list) or len(states) != len(cells):
        raise ValueError(f"initial_states_{name} must be a list of state tensors (one per layer).")
    return states


def stack_bidirectional_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], tuple[Any, ...], tuple[Any, ...]]:
    """`tf.nn.static_bidirectional_rnn` in layers, each reading both directions of the one before.

    `cells_fw` and `cells_bw` are lists of one cell for each layer, and so are the initial states.
    Returns the outputs of the last layer, and the last states of all layers, forward and backward.
    """
    ahead = _checked(cells_fw, initial_states_fw, "fw")
    back = _checked(cells_bw, initial_states_bw, "bw", len(ahead))
    states_fw, states_bw = [], []
    with variable_scope(scope or "stack_bidirectional_rnn"):
        layers = zip(cells_fw, cells_bw, ahead, back, strict=True)
        for number, (cell_fw, cell_bw, state_fw, state_bw) in enumerate(layers):
            with variable_scope(f"cell_{number}") as own:
                inputs, last_fw, last_bw = static_bidirectional_rnn(
                    cell_fw, cell_bw, inputs, state_fw, state_bw, dtype, sequence_length, own
                )
            states_fw.append(last_fw)
            states_bw.append(last_bw)
    return inputs, tuple(states_fw), tuple(states_bw)


def stack_bidirectional_dynamic_rnn(
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any = None,
    initial_states_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """`tf.nn.bidirectional_dynamic_rnn` in layers, each reading both directions of the one before.

    See `stack_bidirectional_rnn`; the outputs of the last layer are one tensor with both
    directions side by side.

    >>> import workbench as tf
    >>> cells = [[tf.contrib.rnn.GRUCell(n) for n in (4, 3)] for _ in range(2)]
    >>> outputs, ahead, back = tf.contrib.rnn.stack_bidirectional_dynamic_rnn(
    ...     *cells, tf.ones([2, 5, 3]), dtype=tf.float32
    ... )
    >>> outputs.shape.as_list(), len(ahead), len(back)
    ([2, 5, 6], 2, 2)
    """
    ahead = _checked(cells_fw, initial_states_fw, "fw")
    back = _checked(cells_bw, initial_states_bw, "bw", len(ahead))
    states_fw, states_bw = [], []
    with variable_scope(scope or "stack_bidirectional_rnn"):
        layers = zip(cells_fw, cells_bw, ahead, back, strict=True)
        for number, (cell_fw, cell_bw, state_fw, state_bw) in enumerate(layers):
            with variable_scope(f"cell_{number}"):
                outputs, (last_fw, last_bw) = bidirectional_dynamic_rnn(
                    cell_fw,
                    cell_bw,
                    inputs,
                    sequence_length,
                    state_fw,
                    state_bw,
                    dtype,
                    parallel_iterations,
                    time_major=time_major,
                )
                inputs = api.concat(outputs, 2)
            states_fw.append(last_fw)
            states_bw.append(last_bw)
    return inputs, tuple(states_fw), tuple(states_bw)
