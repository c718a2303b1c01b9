"""The decoder that keeps the most probable beginnings."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.graph import nest
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import bool as bool_type
from workbench.core.graph.dtypes import int32, int64
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import api
from workbench.core.ops.nn.beam_paths import gather_tree
from workbench.core.ops.nn.recurrent.states import check_cell
from workbench.core.ops.tensor_array import TensorArray
from workbench.train.seq2seq.basic_decoder import check_layer
from workbench.train.seq2seq.beams import Beams
from workbench.train.seq2seq.decoding import Decoder
from workbench.train.seq2seq.feedback import embedding_function


class BeamSearchDecoderState(NamedTuple):
    """The state of a `BeamSearchDecoder`; all are [batch, width, ...]."""

    cell_state: Any
    log_probs: Any
    finished: Any
    lengths: Any


class BeamSearchDecoderOutput(NamedTuple):
    """One step of a `BeamSearchDecoder`: scores, symbols, and the beams that they go on from."""

    scores: Any
    predicted_ids: Any
    parent_ids: Any


class FinalBeamSearchDecoderOutput(NamedTuple):
    """The symbols of whole beams, best first, and the outputs of the steps."""

    predicted_ids: Any
    beam_search_decoder_output: Any


class BeamSearchDecoder(Decoder):
    """A decoder that keeps the `beam_width` most probable beginnings of each row.

    `embedding` is a table or a function of class numbers, `start_tokens` [batch] are the first
    ones; `end_token` ends a beam. `initial_state` has beam_width rows for each row of the batch,
    see `tile_batch`. Scores are log probabilities, divided by
    ((5 + length) / 6) ** `length_penalty_weight`. TensorArrays in states are not supported.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.GRUCell(3)
    >>> decoder = tf.contrib.seq2seq.BeamSearchDecoder(
    ...     cell,
    ...     embedding=tf.ones([5, 2]),
    ...     start_tokens=[0, 0],
    ...     end_token=1,
    ...     initial_state=cell.zero_state(2 * 3, tf.float32),
    ...     beam_width=3,
    ...     output_layer=tf.layers.Dense(5),
    ... )
    >>> outputs, _, _ = tf.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=4)
    >>> outputs.predicted_ids.shape.as_list()
    [2, None, 3]
    """

    def __init__(
        self,
        cell: Any,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        initial_state: Any,
        beam_width: int,
        output_layer: Any = None,
        length_penalty_weight: Any = 0.0,
    ) -> None:
        check_cell(cell, "cell must be an RNNCell")
        check_layer(output_layer, "output_layer")
        self._cell = cell
        self._output_layer = output_layer
        self._embedding_fn = embedding_function(embedding)
        tokens: Any = convert_to_tensor(start_tokens, dtype=int32, name="start_tokens")
        if tokens.shape.ndims != 1:
            raise ValueError(f"start_tokens must be a vector, got the shape {tokens.shape}")
        self._end_token = convert_to_tensor(end_token, dtype=int32, name="end_token")
        if self._end_token.shape.ndims != 0:
            raise ValueError(f"end_token must be a scalar, got the shape {self._end_token.shape}")
        rows = tokens.shape[0].value
        self._beams = Beams(api.size(tokens) if rows is None else rows, beam_width)
        self._length_penalty_weight = length_penalty_weight
        self._initial_state = nest.map_structure(self._split, initial_state)
        tiled = api.tile(api.expand_dims(tokens, 1), [1, beam_width])
        self._start_inputs = self._embedding_fn(tiled)

    @property
    def batch_size(self) -> Any:
        """The number of rows."""
        return self._beams.batch_size

    @property
    def output_size(self) -> BeamSearchDecoderOutput:
        """One number for each beam."""
        return BeamSearchDecoderOutput(*[TensorShape([self._beams.width])] * 3)

    @property
    def output_dtype(self) -> BeamSearchDecoderOutput:
        """The dtype of the state for scores; numbers are int32."""
        return BeamSearchDecoderOutput(self._dtype, int32, int32)

    @property
    def _dtype(self) -> Any:
        return nest.flatten(self._initial_state)[0].dtype.base_dtype

    @property
    def tracks_own_finished(self) -> bool:
        """A beam that is finished gives its place to another that is not."""
        return True

    def _split(self, tensor: Any) -> Any:
        _check(tensor)
        return self._beams.split(tensor) if tensor.shape.ndims >= 1 else tensor

    def _merged(self, tensor: Any) -> Any:
        return self._beams.merged(tensor) if tensor.shape.ndims >= 2 else tensor

    def initialize(self, name: str | None = None) -> tuple[Any, Any, Any]:
        """The start tokens; all beams of a row are the same, so only the first counts."""
        sizes = [self._beams.batch_size, self._beams.width]
        finished = api.fill(sizes, False)
        finished.set_shape(self._beams.shape)
        first = api.one_hot(
            api.fill([sizes[0]], 0), sizes[1], on_value=0.0, off_value=float("-inf")
        )
        lengths = api.zeros(api.stack(sizes), int64)
        lengths.set_shape(self._beams.shape)
        log_probs = api.cast(first, self._dtype)
        log_probs.set_shape(self._beams.shape)
        state = BeamSearchDecoderState(self._initial_state, log_probs, finished, lengths)
        return finished, self._start_inputs, state

    def step(
        self, time: Any, inputs: Any, state: Any, name: str | None = None
    ) -> tuple[Any, Any, Any, Any]:
        """One step of the cell for all beams, and the best beams after it."""
        beams = self._beams
        with name_scope(name, "BeamSearchDecoderStep"):
            outputs, cell_state = self._cell(
                nest.map_structure(beams.merged, inputs),
                nest.map_structure(self._merged, state.cell_state),
            )
            logits = beams.split(outputs)
            if self._output_layer is not None:
                logits = self._output_layer(logits)
            cell_state = nest.map_structure(self._split, cell_state)
            output, next_state = self._search(logits, cell_state, state)
            finished = next_state.finished
            next_inputs = api.cond(
                api.reduce_all(finished),
                lambda: self._start_inputs,
                lambda: self._embedding_fn(output.predicted_ids),
            )
        return output, next_state, next_inputs, finished

    def _search(
        self, logits: Any, cell_state: Any, state: BeamSearchDecoderState
    ) -> tuple[BeamSearchDecoderOutput, BeamSearchDecoderState]:
        beams = self._beams
        symbols = logits.shape[-1].value or api.shape(logits)[-1]
        steps = self._step_log_probs(logits, state.finished, symbols)
        totals = api.expand_dims(state.log_probs, 2) + steps
        going_on = api.logical_not(state.finished)
        flat_totals = api.reshape(totals, api.stack([beams.batch_size, beams.width * symbols]))
        scores = flat_totals / self._length_penalty(state.lengths, going_on, symbols)
        best, places = api.top_k(scores, beams.width)
        best.set_shape(beams.shape)
        places.set_shape(beams.shape)
        parents, ids = places // symbols, places % symbols
        starts = api.expand_dims(api.range(beams.batch_size), 1) + api.zeros_like(places)
        log_probs = api.gather_nd(flat_totals, api.stack([starts, places], 2))
        log_probs.set_shape(beams.shape)
        was_finished = beams.gathered(state.finished, parents)
        finished = api.logical_or(was_finished, api.equal(ids, self._end_token))
        # The end is no part of a beam's length.
        lengths = beams.gathered(state.lengths, parents)
        lengths = lengths + api.cast(api.logical_not(finished), int64)

        def gathered(tensor: Any) -> Any:
            return beams.gathered(tensor, parents) if tensor.shape.ndims >= 2 else tensor

        next_state = BeamSearchDecoderState(
            nest.map_structure(gathered, cell_state), log_probs, finished, lengths
        )
        return BeamSearchDecoderOutput(best, ids, parents), next_state

    def _step_log_probs(self, logits: Any, finished: Any, symbols: Any) -> Any:
        """The log probabilities of symbols; a beam that is finished goes on with the end alone."""
        steps = api.log_softmax(logits)
        end = api.one_hot(self._end_token, symbols, on_value=0.0, off_value=float(steps.dtype.min))
        stay = api.zeros_like(steps) + api.cast(end, steps.dtype)
        mask = api.logical_and(api.expand_dims(finished, 2), api.ones_like(steps, dtype=bool_type))
        return api.where(mask, stay, steps)

    def _length_penalty(self, lengths: Any, going_on: Any, symbols: Any) -> Any:
        """What scores are divided by, [batch, width * symbols], or 1."""
        weight = convert_to_tensor(self._length_penalty_weight, name="penalty_factor")
        if weight.shape.ndims != 0:
            raise ValueError(f"length_penalty_weight must be a scalar, got {weight.shape}")
        known = constant_value(weight)
        if known is not None and known == 0:
            return 1.0
        ends = api.one_hot(self._end_token, symbols, on_value=0, off_value=1, dtype=int64)
        more = api.expand_dims(api.cast(going_on, int64), 2) * ends
        after = api.cast(api.expand_dims(lengths, 2) + more, self._dtype)
        weight = api.cast(weight, self._dtype)
        penalty = ((5.0 + after) / 6.0) ** weight
        return api.reshape(penalty, [self._beams.batch_size, -1])

    def finalize(
        self, outputs: Any, final_state: Any, sequence_lengths: Any
    ) -> tuple[FinalBeamSearchDecoderOutput, Any]:
        """The symbols of whole beams, found from the last step back."""
        # Beams that are finished change places with others up to the last step.
        steps = api.fill([self._beams.batch_size], api.shape(outputs.predicted_ids)[0])
        ids = gather_tree(outputs.predicted_ids, outputs.parent_ids, steps, self._end_token)
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state


def _check(tensor: Any) -> None:
    if isinstance(tensor, TensorArray):
        raise TypeError(f"TensorArray state is not supported by BeamSearchDecoder: {tensor}")
    if tensor.shape.ndims is None:
        raise ValueError(f"Expected tensor ({tensor}) to have known rank, but ndims == None.")
