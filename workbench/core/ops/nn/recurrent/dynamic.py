"""Recurrent networks over an axis of time: one loop runs the cell."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.lists import creation, items, stacking
from workbench.core.ops.nn.recurrent.states import (
    as_values,
    check_cell,
    dtype_of,
    full_shape,
    keep_finished,
    start_state,
)
from workbench.core.ops.nn.recurrent.time_axes import (
    TimeMajorInputs,
    are_full,
    checked_lengths,
    swapped,
)
from workbench.core.ops.state.variable_scope import variable_scope


def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """The outputs of `cell` for inputs [batch, time, ...], and the state after the last step.

    `inputs` may be a structure of tensors; they and the outputs are [time, batch, ...] with
    `time_major`, which saves transposing them. The first state is `initial_state`, or zeros of
    `dtype`. With `sequence_length` [batch] the outputs past a row's length are zeros, and the state
    stays what it was at the row's end. `parallel_iterations` and `swap_memory` change nothing here.

    Raises TypeError where `cell` is no cell, ValueError without `initial_state` and `dtype`, and
    where the sizes of inputs are unknown or differ.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.BasicLSTMCell(4)
    >>> outputs, state = tf.nn.dynamic_rnn(cell, tf.ones([2, 5, 3]), [5, 1], dtype=tf.float32)
    >>> outputs.shape.as_list(), state.h.shape.as_list(), [v.name for v in cell.variables]
    ([2, 5, 4], [2, 4], ['rnn/basic_lstm_cell/kernel:0', 'rnn/basic_lstm_cell/bias:0'])
    """
    check_cell(cell)
    with variable_scope(scope or "rnn"):
        steps = TimeMajorInputs(inputs, time_major)
        lengths = None
        if sequence_length is not None:
            lengths = checked_lengths(sequence_length, steps.known_batch_size)
            if are_full(lengths, steps.known_steps):
                lengths = None
        problem = "If there is no initial_state, you must give a dtype."
        state = start_state(cell, initial_state, steps.batch_size, dtype, problem)
        state = as_values(state)
        step, steps = _prepared(cell, steps)
        outputs, final_state = _loop(
            cell, step, steps, state, lengths, dtype, parallel_iterations or 32, swap_memory
        )
        if not time_major:
            outputs = nest.map_structure(swapped, outputs)
        return outputs, final_state


def _prepared(cell: Any, steps: TimeMajorInputs) -> tuple[Any, TimeMajorInputs]:
    """The step of the loop and what it reads: cells may do a part of all steps before the loop."""
    prepare = getattr(cell, "prepare_loop", None)
    if prepare is None or len(steps.tensors) != 1 or steps.tensors[0].shape.ndims != 3:
        return cell, steps
    prepared = prepare(steps.tensors[0])
    if prepared is None:
        return cell, steps
    ready, step = prepared
    return step, TimeMajorInputs(ready, time_major=True)


def _loop(
    cell: Any,
    step: Any,
    steps: TimeMajorInputs,
    state: Any,
    lengths: Tensor | None,
    dtype: Any,
    parallel_iterations: int,
    swap_memory: bool,
) -> tuple[Any, Any]:
    output_sizes = nest.flatten(cell.output_size)
    output_dtype = dtype_of(dtype, state)
    count = steps.steps
    batch = steps.known_batch_size
    shapes = [full_shape([batch], size) for size in output_sizes]
    read = [creation.from_tensor(tensor) for tensor in steps.tensors]
    written = [creation.reserve(shape, count, output_dtype) for shape in shapes]
    input_shapes = steps.step_shapes()

    def body(time: Tensor, lists: tuple[Any, ...], state: Any) -> tuple[Any, ...]:
        inputs = [
            items.get_item(each, time, tensor.dtype.base_dtype, shape)
            for each, tensor, shape in zip(read, steps.tensors, input_shapes, strict=True)
        ]
        output, new_state = step(steps.packed(inputs), state)
        nest.assert_same_structure(state, new_state)
        nest.assert_same_structure(cell.output_size, output)
        if lengths is not None:
            new_state = keep_finished(api.less_equal(lengths, time), state, new_state)
        for old, new in zip(nest.flatten(state), nest.flatten(new_state), strict=True):
            if isinstance(new, Tensor):
                new.set_shape(old.shape)
        filled = [
            items.set_item(each, time, value)
            for each, value in zip(lists, nest.flatten(output), strict=True)
        ]
        return time + 1, tuple(filled), new_state

    _, filled, final_state = api.while_loop(
        lambda time, *_: time < count,
        body,
        (api.constant(0, name="time"), tuple(written), state),
        parallel_iterations=parallel_iterations,
        swap_memory=swap_memory,
    )
    outputs = []
    for each, shape in zip(filled, shapes, strict=True):
        known = -1 if steps.known_steps is None else steps.known_steps
        full: Any = shape
        if batch is None and shape[1:].is_fully_defined():
            # No step at all leaves the list without an element that could tell its shape.
            full = api.stack([steps.batch_size, *shape.as_list()[1:]])
        stacked: Any = stacking.stack(each, output_dtype, full, known)
        if (known < 0 or batch is None) and shape[1:].is_fully_defined():
            # What takes it is compiled for its shape, which a list does not tell.
            sizes = [count, steps.batch_size, *shape.as_list()[1:]]
            stacked = api.reshape(stacked, api.stack(sizes))
        if lengths is not None:
            stacked = _cut_off(stacked, lengths)
        if shape.ndims is not None:
            stacked.set_shape(TensorShape([steps.known_steps]).concatenate(shape))
        outputs.append(stacked)
    return nest.pack_sequence_as(cell.output_size, outputs), final_state


def _cut_off(outputs: Tensor, lengths: Tensor) -> Tensor:
    """`outputs` [time, batch, ...] with zeros past the rows' lengths: one choice for all steps."""
    sizes: Any = api.shape(outputs)
    past = api.less_equal(api.expand_dims(lengths, 0), api.expand_dims(api.range(sizes[0]), 1))
    rows = api.reshape(outputs, api.concat([[-1], sizes[2:]], 0))
    zeros = api.zeros_like(rows)
    chosen: Tensor = api.reshape(api.where(api.reshape(past, [-1]), zeros, rows), sizes)
    return chosen


def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The outputs and last states of two cells, of which the second reads from the end.

    See `dynamic_rnn` for the arguments. Returns (outputs of cell_fw, of cell_bw) and (states). With
    `sequence_length` [batch] each row is reversed within its length.

    >>> import workbench as tf
    >>> cells = [tf.nn.rnn_cell.GRUCell(n) for n in (4, 2)]
    >>> outputs, _ = tf.nn.bidirectional_dynamic_rnn(*cells, tf.ones([2, 5, 3]), dtype=tf.float32)
    >>> [output.shape.as_list() for output in outputs]
    [[2, 5, 4], [2, 5, 2]]
    """
    check_cell(cell_fw, "cell_fw must be an instance of RNNCell")
    check_cell(cell_bw, "cell_bw must be an instance of RNNCell")
    time_axis, batch_axis = (0, 1) if time_major else (1, 0)

    def turned(tensor: Any) -> Any:
        if sequence_length is None:
            return api.reverse(tensor, [time_axis])
        return api.reverse_sequence(tensor, sequence_length, time_axis, batch_axis)

    def run(cell: Any, values: Any, initial_state: Any, own_scope: Any) -> tuple[Any, Any]:
        return dynamic_rnn(
            cell,
            values,
            sequence_length,
            initial_state,
            dtype,
            parallel_iterations,
            swap_memory,
            time_major,
            own_scope,
        )

    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as forward:
            output_fw, state_fw = run(cell_fw, inputs, initial_state_fw, forward)
        with variable_scope("bw") as backward:
            reversed_inputs = nest.map_structure(turned, inputs)
            output_bw, state_bw = run(cell_bw, reversed_inputs, initial_state_bw, backward)
    output_bw = nest.map_structure(turned, output_bw)
    return (output_fw, output_bw), (state_fw, state_bw)
