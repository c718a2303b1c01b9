"""Whole networks as one object: fused cells take all steps at once."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.dynamic import dynamic_rnn
from workbench.core.ops.nn.recurrent.static import reversed_steps, static_rnn


class FusedRNNCell:
    """A network over all steps: `outputs, state = cell(inputs, initial_state, dtype, ...)`.

    `inputs` are [time, batch, size] or a list of steps, and the outputs have that form, too.
    """

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> tuple[Any, Any]:
        """The outputs, and the state after the last step."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__()")


class FusedRNNCellAdaptor(FusedRNNCell):
    """A cell of one step as a fused cell, by `dynamic_rnn` or else by `static_rnn`.

    >>> import workbench as tf
    >>> rnn = tf.contrib.rnn.FusedRNNCellAdaptor(tf.contrib.rnn.GRUCell(4), use_dynamic_rnn=True)
    >>> outputs, state = rnn(tf.ones([5, 2, 3]), dtype=tf.float32)
    >>> outputs.shape.as_list()
    [5, 2, 4]
    """

    def __init__(self, cell: Any, use_dynamic_rnn: bool = False) -> None:
        self._cell = cell
        self._use_dynamic_rnn = use_dynamic_rnn

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> tuple[Any, Any]:
        """The outputs, and the state after the last step."""
        in_list = isinstance(inputs, list)
        outputs: Any
        if not self._use_dynamic_rnn:
            steps = inputs if in_list else api.unstack(inputs)
            outputs, state = static_rnn(
                self._cell, steps, initial_state, dtype, sequence_length, scope
            )
            return outputs if in_list else api.stack(outputs), state
        outputs, state = dynamic_rnn(
            self._cell,
            api.stack(inputs) if in_list else inputs,
            sequence_length,
            initial_state,
            dtype,
            time_major=True,
            scope=scope,
        )
        return api.unstack(outputs) if in_list else outputs, state


class TimeReversedFusedRNN(FusedRNNCell):
    """A fused cell that reads the steps from the end."""

    def __init__(self, cell: FusedRNNCell) -> None:
        self._cell = cell

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> tuple[Any, Any]:
        """The outputs in the order of the inputs, and the state after the first step."""
        outputs, state = self._cell(
            _turned(inputs, sequence_length), initial_state, dtype, sequence_length, scope
        )
        return _turned(outputs, sequence_length), state


def _turned(steps: Any, lengths: Any) -> Any:
    if isinstance(steps, list):
        return reversed_steps(steps, lengths)
    if lengths is None:
        return api.reverse(steps, [0])
    return api.reverse_sequence(steps, lengths, 0, 1)
