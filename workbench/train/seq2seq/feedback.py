"""Helpers of decoders that feed back what was sampled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32
from workbench.core.graph.shapes import as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.seq2seq.helpers import Helper, SampledIds


def embedding_function(embedding: Any) -> Callable[[Any], Any]:
    """`embedding` as a function of class numbers, where it is not one: a look-up."""
    if callable(embedding):
        found: Callable[[Any], Any] = embedding
        return found
    return lambda ids: api.embedding_lookup(embedding, ids)


class GreedyEmbeddingHelper(SampledIds):
    """A helper that feeds back the embeddings of the most probable classes.

    `embedding` is a table or a function of class numbers, `start_tokens` [batch] are the first
    ones; `end_token` ends a row.
    """

    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any) -> None:
        self._embedding_fn = embedding_function(embedding)
        self._start_tokens = convert_to_tensor(start_tokens, dtype=int32, name="start_tokens")
        self._end_token = convert_to_tensor(end_token, dtype=int32, name="end_token")
        if self._start_tokens.shape.ndims != 1:
            raise ValueError(f"start_tokens must be a vector, got {self._start_tokens.shape}")
        if self._end_token.shape.ndims != 0:
            raise ValueError(f"end_token must be a scalar, got {self._end_token.shape}")
        self._batch_size = api.size(self._start_tokens)
        self._start_inputs = self._embedding_fn(self._start_tokens)

    @property
    def batch_size(self) -> Any:
        """The number of rows."""
        return self._batch_size

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        """The embeddings of the start tokens; no row is finished."""
        return api.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """The most probable classes; TypeError unless the outputs are one tensor."""
        _check_tensor(outputs)
        return api.cast(api.argmax(outputs, -1), int32)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        """The embeddings of the samples, those of the start tokens once all rows are finished."""
        finished = api.equal(sample_ids, self._end_token)
        inputs = api.cond(
            api.reduce_all(finished),
            lambda: self._start_inputs,
            lambda: self._embedding_fn(sample_ids),
        )
        return finished, inputs, state


def _check_tensor(outputs: Any) -> None:
    if not isinstance(outputs, Tensor):
        raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")


def drawn(logits: Any, seed: int | None) -> Any:
    """Class numbers int32, drawn by logits [batch, classes]."""
    return api.cast(api.squeeze(api.multinomial(logits, 1, seed=seed), [1]), int32)


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """`GreedyEmbeddingHelper` that draws the classes.

    A low `softmax_temperature` prefers likely ones.
    """

    def __init__(
        self,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        softmax_temperature: Any = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(embedding, start_tokens, end_token)
        self._temperature = softmax_temperature
        self._seed = seed

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Classes drawn by the outputs as logits; TypeError unless they are one tensor."""
        _check_tensor(outputs)
        logits = outputs if self._temperature is None else outputs / self._temperature
        return drawn(logits, self._seed)


class InferenceHelper(Helper):
    """A helper made of functions: samples are the next inputs, or `next_inputs_fn` of them.

    `sample_fn(outputs)` makes samples of `sample_shape` and `sample_dtype`, `end_fn(samples)` says
    which rows are finished.
    """

    def __init__(
        self,
        sample_fn: Callable[[Any], Any],
        sample_shape: Any,
        sample_dtype: Any,
        start_inputs: Any,
        end_fn: Callable[[Any], Any],
        next_inputs_fn: Callable[[Any], Any] | None = None,
    ) -> None:
        self._sample_fn = sample_fn
        self._sample_shape = as_shape(sample_shape)
        self._sample_dtype = sample_dtype
        self._end_fn = end_fn
        self._next_inputs_fn = next_inputs_fn
        self._start_inputs = convert_to_tensor(start_inputs, name="start_inputs")
        self._batch_size = api.shape(self._start_inputs)[0]

    @property
    def batch_size(self) -> Any:
        """The number of rows."""
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        """The shape of a sample, without the batch."""
        return self._sample_shape

    @property
    def sample_ids_dtype(self) -> Any:
        """The dtype of samples."""
        return self._sample_dtype

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        """The start inputs; no row is finished."""
        return api.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """What the function for it gives."""
        return self._sample_fn(outputs)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        """The samples as inputs."""
        function = self._next_inputs_fn
        inputs = sample_ids if function is None else function(sample_ids)
        return self._end_fn(sample_ids), inputs, state
