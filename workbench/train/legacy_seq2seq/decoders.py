"""Decoders over lists of steps, plain and with attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops import api
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.legacy_seq2seq.attention import Attention
from workbench.train.recurrent.linear import linear

#: Makes the next input of a decoder of its last output and the number of the step.
LoopFunction = Callable[[Any, int], Any] | None


def fed_back(
    embedding: Any, output_projection: Any = None, update_embedding: bool = True
) -> LoopFunction:
    """The loop function that looks up the most probable symbol of an output.

    `output_projection` (weights, biases) makes logits of outputs. Without `update_embedding` no
    gradient flows through what is looked up.
    """

    def loop_function(output: Any, _: int) -> Any:
        if output_projection is not None:
            output = api.xw_plus_b(output, output_projection[0], output_projection[1])
        rows = api.embedding_lookup(embedding, api.argmax(output, 1))
        return rows if update_embedding else api.stop_gradient(rows)

    return loop_function


def check_projection(output_projection: Any, symbols: int, dtype: Any) -> None:
    """ValueError unless an output projection is None or ([size, symbols], [symbols])."""
    if output_projection is None:
        return
    weights, biases = (convert_to_tensor(part, dtype=dtype) for part in output_projection)
    weights.get_shape().assert_is_compatible_with([None, symbols])
    biases.get_shape().assert_is_compatible_with([symbols])


def rnn_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    cell: Any,
    loop_function: LoopFunction = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """The outputs of `cell` for a list of inputs [batch, size], and the last state.

    With `loop_function(last output, step)` all inputs but the first are what it gives.
    """
    with variable_scope(scope or "rnn_decoder"):
        state = initial_state
        outputs: list[Any] = []
        for step, inputs in enumerate(decoder_inputs):
            if loop_function is not None and outputs:
                with variable_scope("loop_function", reuse=True):
                    inputs = loop_function(outputs[-1], step)
            if step > 0:
                get_variable_scope().reuse_variables()
            output, state = cell(inputs, state)
            outputs.append(output)
    return outputs, state


def embedding_rnn_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """`rnn_decoder` whose inputs are class numbers [batch], with a variable "embedding".

    With `feed_previous` all inputs but the first are the most probable symbols of the outputs
    before, which `output_projection` (weights, biases) makes logits of where it is given.
    """
    with variable_scope(scope or "embedding_rnn_decoder") as opened:
        check_projection(output_projection, num_symbols, opened.dtype)
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        loop_function = None
        if feed_previous:
            loop_function = fed_back(embedding, output_projection, update_embedding_for_previous)
        inputs = [api.embedding_lookup(embedding, ids) for ids in decoder_inputs]
        return rnn_decoder(inputs, initial_state, cell, loop_function)


def attention_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    output_size: int | None = None,
    num_heads: int = 1,
    loop_function: LoopFunction = None,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> tuple[list[Any], Any]:
    """`rnn_decoder` with attention to `attention_states` [batch, length, size] in each step.

    `num_heads` means are read at a time. Outputs are linear maps of the cell's output and what was
    read, to `output_size`, the cell's by default. The first step has read nothing, or with
    `initial_state_attention` what fits the initial state. Raises ValueError without inputs or heads
    and where the size of the attention states is unknown.
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    if attention_states.get_shape()[2].value is None:
        raise ValueError(
            f"Shape[2] of attention_states must be known: {attention_states.get_shape()}"
        )
    size = cell.output_size if output_size is None else output_size
    with variable_scope(scope or "attention_decoder", dtype=dtype) as opened:
        attention = Attention(attention_states, num_heads)
        state = initial_state
        read = attention.nothing(api.shape(decoder_inputs[0])[0], opened.dtype)
        if initial_state_attention:
            read = attention.read(state)
        outputs: list[Any] = []
        for step, inputs in enumerate(decoder_inputs):
            if step > 0:
                get_variable_scope().reuse_variables()
            if loop_function is not None and outputs:
                with variable_scope("loop_function", reuse=True):
                    inputs = loop_function(outputs[-1], step)
            depth = inputs.get_shape().with_rank(2)[1].value
            if depth is None:
                raise ValueError(f"Could not infer input size from input: {inputs.name}")
            output, state = cell(linear([inputs, *read], depth, True), state)
            again = True if step == 0 and initial_state_attention else None
            with variable_scope(get_variable_scope(), reuse=again):
                read = attention.read(state)
            with variable_scope("AttnOutputProjection"):
                outputs.append(linear([output, *read], size, True))
    return outputs, state


def embedding_attention_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_size: int | None = None,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> tuple[list[Any], Any]:
    """`attention_decoder` whose inputs are class numbers; see `embedding_rnn_decoder`."""
    size = cell.output_size if output_size is None else output_size
    if output_projection is not None:
        biases = convert_to_tensor(output_projection[1], dtype=dtype)
        biases.get_shape().assert_is_compatible_with([num_symbols])
    with variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = get_variable("embedding", [num_symbols, embedding_size])
        loop_function = None
        if feed_previous:
            loop_function = fed_back(embedding, output_projection, update_embedding_for_previous)
        return attention_decoder(
            [api.embedding_lookup(embedding, ids) for ids in decoder_inputs],
            initial_state,
            attention_states,
            cell,
            output_size=size,
            num_heads=num_heads,
            loop_function=loop_function,
            initial_state_attention=initial_state_attention,
        )
