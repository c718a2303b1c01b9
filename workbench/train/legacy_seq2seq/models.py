"""Encoders and decoders together."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.dtypes import float32
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.states import check_cell
from workbench.core.ops.nn.recurrent.static import static_rnn
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.legacy_seq2seq.decoders import (
    LoopFunction,
    check_projection,
    embedding_attention_decoder,
    embedding_rnn_decoder,
    fed_back,
    rnn_decoder,
)
from workbench.train.recurrent.projections import EmbeddingWrapper, OutputProjectionWrapper

#: A decoder's outputs and last state.
Decoded = tuple[list[Any], Any]


def basic_rnn_seq2seq(
    encoder_inputs: Any, decoder_inputs: Any, cell: Any, dtype: Any = float32, scope: Any = None
) -> Decoded:
    """Encodes a list of inputs with a copy of `cell` and decodes from its last state.

    Inputs are lists of [batch, size]. Returns the decoder's outputs and last state.
    """
    with variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    loop_function: LoopFunction = None,
    dtype: Any = float32,
    scope: Any = None,
) -> Decoded:
    """`basic_rnn_seq2seq` with one cell for both, and so one set of variables."""
    with variable_scope("combined_tied_rnn_seq2seq"):
        scope = scope or "tied_rnn_seq2seq"
        _, state = static_rnn(cell, encoder_inputs, dtype=dtype, scope=scope)
        get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function=loop_function, scope=scope)


def _decoded(feed_previous: Any, decoder: Callable[[bool, bool], Decoded], cell: Any) -> Decoded:
    """What `decoder(feed_previous, update_embedding)` gives, chosen in the run for a tensor.

    The embedding learns nothing through symbols fed back where both ways are in the graph.
    """
    if isinstance(feed_previous, bool):
        return decoder(feed_previous, True)

    def branch(fed: bool) -> list[Any]:
        with variable_scope(get_variable_scope(), reuse=None if fed else True):
            outputs, state = decoder(fed, False)
        return [*outputs, *nest.flatten(state)]

    flat = api.cond(feed_previous, lambda: branch(True), lambda: branch(False))
    count = len(flat) - len(nest.flatten(cell.state_size))
    return list(flat[:count]), nest.pack_sequence_as(cell.state_size, flat[count:])


def embedding_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Decoded:
    """`basic_rnn_seq2seq` for lists of class numbers [batch]; outputs are logits.

    With `output_projection` (weights, biases) outputs are the cell's, from which it makes logits.
    `feed_previous` (a bool or a boolean tensor) has the decoder read its own outputs after the
    first input.
    """
    with variable_scope(scope or "embedding_rnn_seq2seq") as opened:
        if dtype is not None:
            opened.set_dtype(dtype)
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        _, state = static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)

        def decoder(fed: bool, update: bool) -> Decoded:
            return embedding_rnn_decoder(
                decoder_inputs,
                state,
                cell,
                num_decoder_symbols,
                embedding_size,
                output_projection=output_projection,
                feed_previous=fed,
                update_embedding_for_previous=update,
            )

        return _decoded(feed_previous, decoder, cell)


def embedding_tied_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_decoder_symbols: int | None = None,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Decoded:
    """`embedding_rnn_seq2seq` with one embedding and one cell for both."""
    with variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as opened:
        dtype = opened.dtype
        check_projection(output_projection, num_symbols, dtype)
        embedding = get_variable("embedding", [num_symbols, embedding_size], dtype)
        encoded = [api.embedding_lookup(embedding, ids) for ids in encoder_inputs]
        to_decode = [api.embedding_lookup(embedding, ids) for ids in decoder_inputs]
        if output_projection is None:
            symbols = num_symbols if num_decoder_symbols is None else num_decoder_symbols
            cell = OutputProjectionWrapper(cell, symbols)

        def decoder(fed: bool, update: bool) -> Decoded:
            loop_function = fed_back(embedding, output_projection, update) if fed else None
            return tied_rnn_seq2seq(encoded, to_decode, cell, loop_function, dtype)

        return _decoded(feed_previous, decoder, cell)


def embedding_attention_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> Decoded:
    """`embedding_rnn_seq2seq` whose decoder attends to the encoder's outputs.

    See `attention_decoder` for `num_heads` and `initial_state_attention`.
    """
    with variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        encoded, state = static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        size = cell.output_size
        attended = api.concat([api.reshape(step, [-1, 1, size]) for step in encoded], 1)
        output_size = None
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols

        def decoder(fed: bool, update: bool) -> Decoded:
            return embedding_attention_decoder(
                decoder_inputs,
                state,
                attended,
                cell,
                num_decoder_symbols,
                embedding_size,
                num_heads=num_heads,
                output_size=output_size,
                output_projection=output_projection,
                feed_previous=fed,
                update_embedding_for_previous=update,
                initial_state_attention=initial_state_attention,
            )

        return _decoded(feed_previous, decoder, cell)


def one2many_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs_dict: dict[Any, Any],
    enc_cell: Any,
    dec_cells_dict: dict[Any, Any],
    num_encoder_symbols: int,
    num_decoder_symbols_dict: dict[Any, int],
    embedding_size: int,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> tuple[dict[Any, list[Any]], dict[Any, Any]]:
    """`embedding_rnn_seq2seq` with several decoders, given in dicts by name.

    Returns the outputs and the states by name. Raises TypeError for cells that are none, ValueError
    where the dicts' keys differ.
    """
    check_cell(enc_cell, "enc_cell is not an RNNCell")
    if set(dec_cells_dict) != set(decoder_inputs_dict):
        raise ValueError(
            "keys of dec_cells_dict != keys of decoder_inputs_dict: "
            f"{sorted(dec_cells_dict)} and {sorted(decoder_inputs_dict)}"
        )
    for cell in dec_cells_dict.values():
        check_cell(cell, "dec_cell is not an RNNCell")
    outputs: dict[Any, list[Any]] = {}
    states: dict[Any, Any] = {}
    with variable_scope(scope or "one2many_rnn_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(enc_cell, num_encoder_symbols, embedding_size)
        _, encoded = static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        for name, inputs in decoder_inputs_dict.items():
            with variable_scope(f"one2many_decoder_{name}"):
                symbols = num_decoder_symbols_dict[name]
                cell = OutputProjectionWrapper(dec_cells_dict[name], symbols)

                def decoder(
                    fed: bool,
                    update: bool,
                    inputs: Any = inputs,
                    cell: Any = cell,
                    symbols: int = symbols,
                ) -> Decoded:
                    # Here symbols that are fed back teach the embedding in any case.
                    return embedding_rnn_decoder(
                        inputs, encoded, cell, symbols, embedding_size, feed_previous=fed
                    )

                outputs[name], states[name] = _decoded(feed_previous, decoder, cell)
    return outputs, states
