"""Decoders, and the loop that runs them."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.states import (
    as_values,
    batch_zeros,
    full_shape,
    keep_finished,
    known_batch_size,
)
from workbench.core.ops.nn.recurrent.time_axes import swapped
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.core.ops.tensor_array import TensorArray


class Decoder:
    """What `dynamic_decode` runs.

    Subclasses define `batch_size`, `output_size` and `output_dtype` (structures like that of the
    outputs), `initialize()`, which returns (finished, first inputs, first state), and
    `step(time, inputs, state)`, which returns (outputs, next state, next inputs, finished).
    """

    @property
    def batch_size(self) -> Any:
        """The batch size, an int or a scalar tensor."""
        raise NotImplementedError(f"{type(self).__name__} does not say its batch_size")

    @property
    def output_size(self) -> Any:
        """The sizes of the outputs, without the batch."""
        raise NotImplementedError(f"{type(self).__name__} does not say its output_size")

    @property
    def output_dtype(self) -> Any:
        """The dtypes of the outputs."""
        raise NotImplementedError(f"{type(self).__name__} does not say its output_dtype")

    def initialize(self, name: str | None = None) -> tuple[Any, Any, Any]:
        """Which rows are finished at once, the first inputs, the first state."""
        raise NotImplementedError(f"{type(self).__name__} does not define initialize()")

    def step(
        self, time: Any, inputs: Any, state: Any, name: str | None = None
    ) -> tuple[Any, Any, Any, Any]:
        """The outputs, the next state, the next inputs, and which rows are finished."""
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> tuple[Any, Any]:
        """What becomes of all outputs [time, batch, ...] and of the last state."""
        return outputs, final_state

    @property
    def tracks_own_finished(self) -> bool:
        """True where a row that was finished may go on, as a beam does that another replaces."""
        return False


def dynamic_decode(
    decoder: Decoder,
    output_time_major: bool = False,
    impute_finished: bool = False,
    maximum_iterations: Any = None,
    parallel_iterations: int = 32,
    swap_memory: bool = False,
    scope: Any = None,
) -> tuple[Any, Any, Any]:
    """Runs a decoder until all rows are finished, and returns outputs, state and rows' lengths.

    Outputs are [batch, time, ...], or [time, batch, ...] with `output_time_major`. With
    `impute_finished` rows that are finished keep their state and put out zeros. The loop ends after
    `maximum_iterations` in any case. Raises TypeError unless `decoder` is a `Decoder`.

    >>> import workbench as tf
    >>> cell = tf.nn.rnn_cell.GRUCell(3)
    >>> helper = tf.contrib.seq2seq.TrainingHelper(tf.ones([2, 5, 4]), [5, 2])
    >>> decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, tf.float32))
    >>> outputs, state, lengths = tf.contrib.seq2seq.dynamic_decode(decoder)
    >>> outputs.rnn_output.shape.as_list(), state.shape.as_list()
    ([2, None, 3], [2, 3])
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with variable_scope(scope, "decoder"):
        limit = _limit(maximum_iterations)
        finished, inputs, state = decoder.initialize()
        finished = convert_to_tensor(finished)
        inputs, state = as_values(inputs), as_values(state)
        if limit is not None:
            finished = api.logical_or(finished, api.less_equal(limit, 0))
        outputs = _Outputs(decoder)

        def body(
            time: Any, arrays: Any, state: Any, inputs: Any, finished: Any, lengths: Any
        ) -> tuple[Any, ...]:
            emitted, next_state, next_inputs, now_finished = decoder.step(time, inputs, state)
            if not decoder.tracks_own_finished:
                now_finished = api.logical_or(now_finished, finished)
            if limit is not None:
                now_finished = api.logical_or(now_finished, api.greater_equal(time + 1, limit))
            ends = api.logical_and(api.logical_not(finished), now_finished)
            lengths = api.where(ends, api.fill(api.shape(lengths), time + 1), lengths)
            nest.assert_same_structure(state, next_state)
            nest.assert_same_structure(arrays, emitted)
            nest.assert_same_structure(inputs, next_inputs)
            for old, new in zip(nest.flatten(state), nest.flatten(next_state), strict=True):
                _keep_shape(old, new)
            if impute_finished:
                emitted = keep_finished(finished, outputs.zeros(), emitted)
                next_state = keep_finished(finished, state, next_state)
            arrays = nest.map_structure(
                lambda array, value: array.write(time, value), arrays, emitted
            )
            return time + 1, arrays, next_state, next_inputs, now_finished, lengths

        _, arrays, state, _, _, lengths = api.while_loop(
            lambda time, arrays, state, inputs, finished, lengths: api.logical_not(
                api.reduce_all(finished)
            ),
            body,
            (
                api.constant(0, int32),
                outputs.arrays(),
                state,
                inputs,
                finished,
                api.zeros_like(finished, dtype=int32),
            ),
            parallel_iterations=parallel_iterations,
            swap_memory=swap_memory,
        )
        stacked = outputs.stacked(arrays)
        stacked, state = decoder.finalize(stacked, state, lengths)
        if not output_time_major:
            stacked = nest.map_structure(swapped, stacked)
    return stacked, state, lengths


def _limit(maximum_iterations: Any) -> Tensor | None:
    if maximum_iterations is None:
        return None
    limit = convert_to_tensor(maximum_iterations, dtype=int32, name="maximum_iterations")
    if limit.shape.ndims != 0:
        raise ValueError(f"maximum_iterations must be a scalar, got the shape {limit.shape}")
    return limit


def _keep_shape(old: Any, new: Any) -> None:
    """Tells the next value of a state what is known of its shape, if it fits."""
    if isinstance(new, Tensor) and new.shape.is_compatible_with(old.shape):
        new.set_shape(old.shape)


class _Outputs:
    """The outputs of a decoder: zeros of one step, and the arrays that keep all steps."""

    def __init__(self, decoder: Decoder) -> None:
        self._sizes, self._dtypes = decoder.output_size, decoder.output_dtype
        self._batch_size = decoder.batch_size
        self._known = known_batch_size(self._batch_size)

    def zeros(self) -> Any:
        """Zeros of one step."""
        return nest.map_structure(
            lambda size, dtype: batch_zeros(self._batch_size, size, dtype),
            self._sizes,
            self._dtypes,
        )

    def _shape(self, size: Any) -> TensorShape:
        return full_shape([self._known], size)

    def arrays(self) -> Any:
        """Empty arrays."""
        return nest.map_structure(
            lambda size, dtype: TensorArray(
                dtype, size=0, dynamic_size=True, element_shape=self._shape(size)
            ),
            self._sizes,
            self._dtypes,
        )

    def stacked(self, arrays: Any) -> Any:
        """All steps of arrays, [time, batch, ...]."""

        def stack(array: Any, size: Any) -> Any:
            tensor = array.stack()
            tensor.set_shape(as_shape([None]).concatenate(self._shape(size)))
            return tensor

        return nest.map_structure(stack, arrays, self._sizes)
