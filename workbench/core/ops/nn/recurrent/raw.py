"""A recurrent network whose inputs, states and outputs a function gives, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.states import (
    as_values,
    batch_zeros,
    check_cell,
    keep_finished,
    known_or_dynamic_batch_size,
)
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.core.ops.tensor_array import TensorArray


def raw_rnn(
    cell: Any,
    loop_fn: Callable[..., Any],
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    scope: Any = None,
) -> tuple[Any, Any, Any]:
    """Runs `cell` with what `loop_fn` gives until it says that all rows are finished.

    `loop_fn(time, cell_output, cell_state, loop_state)` returns (finished [batch], next input, next
    cell state, output to emit, next loop state). It is called before the first step with time 0
    and None for the others: there the state is the first one, and the output to emit gives the
    structure, shapes (without batch) and dtypes of outputs, or is None for those of
    `cell.output_size`. Rows that are finished keep their state and emit zeros.

    Returns the emitted outputs (TensorArrays), the last state and the last loop state. Raises
    TypeError where `cell` is no cell or `loop_fn` not callable.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.GRUCell(2)
    >>> def step(time, output, state, loop_state):
    ...     state = cell.zero_state(3, tf.float32) if output is None else state
    ...     return tf.fill([3], time >= 4), tf.ones([3, 1]), state, output, None
    >>> emitted, state, _ = tf.nn.raw_rnn(cell, step)
    >>> emitted.stack().shape.as_list()[1:], state.shape.as_list()
    ([3, 2], [3, 2])
    """
    check_cell(cell)
    if not callable(loop_fn):
        raise TypeError(f"loop_fn must be a callable, got {loop_fn!r}")
    with variable_scope(scope or "rnn"):
        time = api.constant(0, int32)
        finished, inputs, state, emit, loop_state = loop_fn(time, None, None, None)
        has_loop_state = loop_state is not None
        nest.assert_same_structure(state, cell.state_size)
        state, inputs = as_values(state), as_values(inputs)
        batch_size = known_or_dynamic_batch_size(nest.flatten(inputs))
        outputs = _Outputs(cell, emit, state, batch_size)

        def body(
            time: Tensor, finished: Any, inputs: Any, arrays: Any, state: Any, loop_state: Any
        ) -> tuple[Any, ...]:
            output, cell_state = cell(inputs, state)
            nest.assert_same_structure(state, cell_state)
            nest.assert_same_structure(cell.output_size, output)
            now_finished, next_inputs, next_state, emitted, next_loop_state = loop_fn(
                time + 1, output, cell_state, loop_state if has_loop_state else None
            )
            nest.assert_same_structure(state, next_state)
            nest.assert_same_structure(inputs, next_inputs)
            nest.assert_same_structure(outputs.structure, emitted)
            emitted = keep_finished(finished, outputs.zeros, emitted)
            arrays = outputs.write(arrays, time, emitted)
            return (
                time + 1,
                api.logical_or(finished, now_finished),
                next_inputs,
                arrays,
                keep_finished(finished, state, next_state),
                loop_state if next_loop_state is None else next_loop_state,
            )

        _, _, _, arrays, state, loop_state = api.while_loop(
            lambda time, finished, *_: api.logical_not(api.reduce_all(finished)),
            body,
            (
                time,
                convert_to_tensor(finished),
                inputs,
                outputs.arrays(),
                state,
                loop_state if has_loop_state else api.constant(0),
            ),
            parallel_iterations=parallel_iterations or 32,
            swap_memory=swap_memory,
        )
        return arrays, state, loop_state if has_loop_state else None


class _Outputs:
    """What is emitted: its structure, zeros of one step, and the arrays that keep it."""

    def __init__(self, cell: Any, emit: Any, state: Any, batch_size: Any) -> None:
        if emit is None:
            self.structure = cell.output_size
            sizes = nest.flatten(self.structure)
            self._dtypes = [nest.flatten(state)[0].dtype.base_dtype] * len(sizes)
        else:
            self.structure = emit
            tensors = [convert_to_tensor(each) for each in nest.flatten(emit)]
            sizes = [t.shape if t.shape.is_fully_defined() else api.shape(t) for t in tensors]
            self._dtypes = [tensor.dtype.base_dtype for tensor in tensors]
        flat = [
            batch_zeros(batch_size, size, dtype)
            for size, dtype in zip(sizes, self._dtypes, strict=True)
        ]
        self.zeros = nest.pack_sequence_as(self.structure, flat)

    def arrays(self) -> Any:
        """Empty arrays for the outputs."""
        made = [
            TensorArray(dtype, size=0, dynamic_size=True, name=f"rnn_output_{i}")
            for i, dtype in enumerate(self._dtypes)
        ]
        return nest.pack_sequence_as(self.structure, made)

    def write(self, arrays: Any, time: Tensor, values: Any) -> Any:
        """The arrays with the outputs of one more step."""
        pairs = zip(nest.flatten(arrays), nest.flatten(values), strict=True)
        written = [array.write(time, value) for array, value in pairs]
        return nest.pack_sequence_as(self.structure, written)
