"""Recurrent networks over lists of inputs: one copy of the cell's operations for each step."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.context import control_dependencies
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.states import (
    batch_zeros,
    check_cell,
    dtype_of,
    keep_finished,
    known_or_dynamic_batch_size,
    start_state,
)
from workbench.core.ops.state.variable_scope import variable_scope


def static_rnn(
    cell: Any,
    inputs: Any,
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """The outputs of `cell` for a list of inputs, and the state after the last.

    Each input is [batch, size], or a structure of such tensors. The first state is `initial_state`,
    or zeros of `dtype`. With `sequence_length` [batch] the outputs past a row's length are zeros,
    and the state stays what it was at the row's end. Raises TypeError where `cell` is no cell or
    `inputs` no sequence, ValueError where it is empty, where the sizes of inputs are unknown, and
    without `initial_state` and `dtype`.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.BasicLSTMCell(4)
    >>> outputs, state = tf.nn.static_rnn(cell, [tf.ones([2, 3])] * 5, dtype=tf.float32)
    >>> len(outputs), outputs[0].shape.as_list(), [v.name for v in cell.variables]
    (5, [2, 4], ['rnn/basic_lstm_cell/kernel:0', 'rnn/basic_lstm_cell/bias:0'])
    """
    check_cell(cell)
    _check_inputs(inputs)
    with variable_scope(scope or "rnn") as opened:
        batch_size = _batch_size(inputs)
        problem = "If no initial_state is provided, dtype must be specified"
        state = start_state(cell, initial_state, batch_size, dtype, problem)
        lengths = None if sequence_length is None else _lengths(sequence_length)
        zeros: Any = None
        if lengths is not None:
            zeros = [
                batch_zeros(batch_size, size, dtype_of(dtype, state))
                for size in nest.flatten(cell.output_size)
            ]
        outputs = []
        step, inputs = _prepared(cell, inputs)
        for time, step_inputs in enumerate(inputs):
            if time > 0:
                opened.reuse_variables()
            output, new_state = step(step_inputs, state)
            if lengths is None:
                state = new_state
            else:
                nest.assert_same_structure(state, new_state)
                finished = api.less_equal(lengths, time)
                output = keep_finished(finished, zeros, output)
                state = keep_finished(finished, state, new_state)
            outputs.append(output)
        return outputs, state


def _prepared(cell: Any, inputs: Any) -> tuple[Any, Any]:
    """The step and what it takes: cells may do a part of all steps at once, as in dynamic_rnn."""
    prepare = getattr(cell, "prepare_loop", None)
    alike = all(isinstance(each, Tensor) and each.shape.ndims == 2 for each in inputs)
    if prepare is None or not alike:
        return cell, inputs
    prepared = prepare(api.stack(inputs))
    if prepared is None:
        return cell, inputs
    ready, step = prepared
    return step, api.unstack(ready, len(inputs))


def _check_inputs(inputs: Any) -> None:
    if not nest.is_sequence(inputs):
        hint = ": use tf.unstack(inputs, axis=1) or tf.nn.dynamic_rnn"
        raise TypeError(
            f"inputs must be a sequence, got {inputs!r}"
            + (hint if isinstance(inputs, Tensor) else "")
        )
    if not inputs:
        raise ValueError("inputs must not be empty")


def _batch_size(inputs: Any) -> Any:
    """An int where an input knows it, else a tensor; checks what is known of the inputs' sizes."""
    flat = [convert_to_tensor(each) for each in nest.flatten(inputs)]
    # Inputs of rank 1 are ids, which some cells take.
    for tensor in flat if flat[0].shape.ndims != 1 else ():
        for i, size in enumerate(tensor.shape.with_rank_at_least(2)[1:].as_list()):
            if size is None:
                raise ValueError(
                    f"Input size (dimension {i} of inputs) must be accessible via shape inference, "
                    f"but saw value None: {tensor}"
                )
    return known_or_dynamic_batch_size(flat)


def _lengths(sequence_length: Any) -> Tensor:
    lengths = convert_to_tensor(sequence_length, name="sequence_length")
    if lengths.shape.ndims not in (None, 1):
        raise ValueError(
            f"sequence_length must be a vector of length batch_size, got the shape {lengths.shape}"
        )
    result: Tensor = api.to_int32(lengths)
    return result


def static_state_saving_rnn(
    cell: Any,
    inputs: Any,
    state_saver: Any,
    state_name: Any,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """`static_rnn` that takes its first state from `state_saver` and gives it the last one.

    `state_saver` has `state(name)` and `save_state(name, value)`. `state_name` is a name, or a
    structure of names where the state is one; ValueError where they do not fit. Running the last
    output saves the state.
    """
    state_size = cell.state_size
    if nest.is_sequence(state_size) != nest.is_sequence(state_name):
        raise ValueError(
            "state_name should be the same type as cell.state_size.  state_name: "
            f"{state_name}, cell.state_size: {state_size}"
        )
    names = nest.flatten(state_name)
    count = len(nest.flatten(state_size))
    if len(names) != count:
        raise ValueError(f"#elems(state_name) != #elems(state_size): {len(names)} vs. {count}")
    initial = nest.pack_sequence_as(state_size, [state_saver.state(name) for name in names])
    outputs, state = static_rnn(
        cell, inputs, initial_state=initial, sequence_length=sequence_length, scope=scope
    )
    saves = [
        state_saver.save_state(name, part)
        for name, part in zip(names, nest.flatten(state), strict=True)
    ]
    with control_dependencies(saves):
        outputs[-1] = nest.map_structure(api.identity, outputs[-1])
    return outputs, state


def static_bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any, Any]:
    """Outputs of two cells side by side, of which one reads the inputs from the end, and states.

    See `static_rnn` for the arguments. Returns the outputs, each [batch, sizes of both], the last
    state of the forward cell and that of the backward cell. With `sequence_length` [batch] each
    row is reversed within its length.
    """
    check_cell(cell_fw, "cell_fw must be an instance of RNNCell")
    check_cell(cell_bw, "cell_bw must be an instance of RNNCell")
    _check_inputs(inputs)
    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as forward:
            outputs_fw, state_fw = static_rnn(
                cell_fw, inputs, initial_state_fw, dtype, sequence_length, scope=forward
            )
        with variable_scope("bw") as backward:
            turned, state_bw = static_rnn(
                cell_bw,
                reversed_steps(inputs, sequence_length),
                initial_state_bw,
                dtype,
                sequence_length,
                scope=backward,
            )
    outputs_bw = reversed_steps(turned, sequence_length)
    pairs = zip(nest.flatten(outputs_fw), nest.flatten(outputs_bw), strict=True)
    joined = [api.concat([ahead, back], 1) for ahead, back in pairs]
    return nest.pack_sequence_as(outputs_fw, joined), state_fw, state_bw


def reversed_steps(steps: Any, lengths: Any) -> list[Any]:
    """A list of steps in reverse order, each row within its length."""
    if lengths is None:
        return list(reversed(steps))
    columns = []
    for column in zip(*map(nest.flatten, steps), strict=True):
        shape = column[0].get_shape()
        for tensor in column[1:]:
            shape = shape.merge_with(tensor.get_shape())
        turned = api.unstack(api.reverse_sequence(api.stack(column), lengths, 0, 1), len(column))
        for tensor in turned:
            tensor.set_shape(shape)
        columns.append(turned)
    rows = zip(*columns, strict=True)
    return [
        nest.pack_sequence_as(step, row) for step, row in zip(steps, map(list, rows), strict=True)
    ]
