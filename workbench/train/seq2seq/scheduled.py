"""Scheduled sampling: now and then a decoder reads its own outputs in training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import bool as bool_type
from workbench.core.graph.dtypes import float32
from workbench.core.ops import api
from workbench.core.ops.nn.recurrent.time_axes import swapped
from workbench.train.seq2seq.feedback import drawn, embedding_function
from workbench.train.seq2seq.helpers import Steps, TrainingHelper


def _probability(value: Any) -> Any:
    tensor = convert_to_tensor(value, name="sampling_probability")
    if tensor.shape.ndims not in (0, 1):
        raise ValueError(
            f"sampling_probability must be either a scalar or a vector. saw shape: {tensor.shape}"
        )
    return tensor


def _chosen(probability: Any, batch_size: Any, seed: int | None) -> Any:
    """Rows drawn with a probability, [batch] bool."""
    return api.random_uniform([batch_size], seed=seed, dtype=float32) < api.cast(
        probability, float32
    )


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """`TrainingHelper` that feeds back embeddings of drawn classes in some rows.

    Each row does so with `sampling_probability`; samples are -1 elsewhere. `embedding` is a table
    or a function of class numbers.
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        embedding: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        scheduling_seed: int | None = None,
        name: str | None = None,
    ) -> None:
        self._embedding_fn = embedding_function(embedding)
        self._probability = _probability(sampling_probability)
        self._seed = seed
        self._scheduling_seed = scheduling_seed
        super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """Classes drawn by the outputs as logits in the rows that are chosen, else -1."""
        with name_scope(name, "ScheduledEmbeddingTrainingHelperSample"):
            chosen = _chosen(self._probability, self.batch_size, self._scheduling_seed)
            classes = drawn(outputs, self._seed)
            return api.where(chosen, classes, api.fill(api.shape(classes), -1))

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
    ) -> tuple[Any, Any, Any]:
        """The embeddings of the samples where there are, else the next step of the inputs."""
        with name_scope(name, "ScheduledEmbeddingTrainingHelperNextInputs"):
            finished, inputs, state = super().next_inputs(time, outputs, state)
            embedded = self._embedding_fn(api.maximum(sample_ids, 0))
            use = api.logical_and(sample_ids >= 0, api.logical_not(api.reduce_all(finished)))
            return finished, api.where(use, embedded, inputs), state


class ScheduledOutputTrainingHelper(TrainingHelper):
    """`TrainingHelper` that feeds back the outputs themselves in some rows.

    Each row does so with `sampling_probability`. `next_inputs_fn` makes inputs of outputs;
    `auxiliary_inputs`, which have the form of the inputs, are joined to both.
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        next_inputs_fn: Callable[[Any], Any] | None = None,
        auxiliary_inputs: Any = None,
        name: str | None = None,
    ) -> None:
        self._probability = _probability(sampling_probability)
        self._seed = seed
        self._next_inputs_fn = next_inputs_fn
        self._auxiliary: Steps | None = None
        if auxiliary_inputs is not None:
            inputs, auxiliary_inputs = nest.map_structure(
                convert_to_tensor, (inputs, auxiliary_inputs)
            )
            inputs = nest.map_structure(_joined, inputs, auxiliary_inputs)
            if not time_major:
                auxiliary_inputs = nest.map_structure(swapped, auxiliary_inputs)
            self._auxiliary = Steps(auxiliary_inputs)
        super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """1 in the rows that are fed back, else 0."""
        with name_scope(name, "ScheduledOutputTrainingHelperSample"):
            return api.to_int32(_chosen(self._probability, self.batch_size, self._seed))

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
    ) -> tuple[Any, Any, Any]:
        """The outputs in the rows that are fed back, else the next step of the inputs."""
        with name_scope(name, "ScheduledOutputTrainingHelperNextInputs"):
            finished, inputs, state = super().next_inputs(time, outputs, state)
            fed = outputs if self._next_inputs_fn is None else self._next_inputs_fn(outputs)
            if self._auxiliary is not None:
                fed = nest.map_structure(_joined, fed, self._auxiliary.read(time + 1))
            use = api.logical_and(
                api.cast(sample_ids, bool_type), api.logical_not(api.reduce_all(finished))
            )
            mixed = nest.map_structure(lambda a, b: api.where(use, a, b), fed, inputs)
            return finished, mixed, state


def _joined(a: Any, b: Any) -> Any:
    return api.concat([a, b], -1)
