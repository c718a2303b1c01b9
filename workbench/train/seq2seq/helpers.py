"""Helpers of decoders: they sample the outputs and make the next inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import api
from workbench.core.ops.lists import creation, items
from workbench.core.ops.nn.recurrent.time_axes import swapped


class Helper:
    """What a `BasicDecoder` asks: `initialize`, `sample` and `next_inputs`."""

    @property
    def batch_size(self) -> Any:
        """The batch size, an int or a scalar tensor."""
        raise NotImplementedError("batch_size has not been implemented")

    @property
    def sample_ids_shape(self) -> Any:
        """The shape of a sample, without the batch."""
        raise NotImplementedError("sample_ids_shape has not been implemented")

    @property
    def sample_ids_dtype(self) -> Any:
        """The dtype of samples."""
        raise NotImplementedError("sample_ids_dtype has not been implemented")

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        """Which rows are finished at once, and the first inputs."""
        raise NotImplementedError(f"{type(self).__name__} does not define initialize()")

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """A sample of the outputs of a step."""
        raise NotImplementedError(f"{type(self).__name__} does not define sample()")

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        """Which rows are finished, the next inputs, the next state."""
        raise NotImplementedError(f"{type(self).__name__} does not define next_inputs()")


class SampledIds(Helper):
    """A helper whose samples are class numbers [batch]."""

    @property
    def sample_ids_shape(self) -> Any:
        """A sample is a scalar."""
        return TensorShape([])

    @property
    def sample_ids_dtype(self) -> Any:
        """Samples are int32."""
        return int32


class CustomHelper(Helper):
    """A helper made of functions.

    `initialize_fn()` returns (finished, first inputs), `sample_fn(time, outputs, state)` the
    samples, `next_inputs_fn(time, outputs, state, sample_ids)` (finished, next inputs, state).
    """

    def __init__(
        self,
        initialize_fn: Callable[[], tuple[Any, Any]],
        sample_fn: Callable[..., Any],
        next_inputs_fn: Callable[..., tuple[Any, Any, Any]],
        sample_ids_shape: Any = None,
        sample_ids_dtype: Any = None,
    ) -> None:
        self._initialize = initialize_fn
        self._sample = sample_fn
        self._next_inputs = next_inputs_fn
        self._batch_size: Any = None
        self._sample_ids_shape = TensorShape(sample_ids_shape or [])
        self._sample_ids_dtype = sample_ids_dtype or int32

    @property
    def batch_size(self) -> Any:
        """The number of rows; ValueError before `initialize`."""
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        """The shape of a sample, without the batch."""
        return self._sample_ids_shape

    @property
    def sample_ids_dtype(self) -> Any:
        """The dtype of samples."""
        return self._sample_ids_dtype

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        """What the function for it gives."""
        with name_scope(name, f"{type(self).__name__}Initialize"):
            finished, inputs = self._initialize()
            if self._batch_size is None:
                self._batch_size = api.size(finished)
        return finished, inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """What the function for it gives."""
        with name_scope(name, f"{type(self).__name__}Sample"):
            return self._sample(time=time, outputs=outputs, state=state)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> tuple[Any, Any, Any]:
        """What the function for it gives."""
        with name_scope(name, f"{type(self).__name__}NextInputs"):
            return self._next_inputs(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class Steps:
    """Tensors [time, batch, ...] that a loop reads step by step."""

    def __init__(self, tensors: Any) -> None:
        self._tensors = tensors
        self._lists = [creation.from_tensor(tensor) for tensor in nest.flatten(tensors)]

    def read(self, time: Any) -> Any:
        """The step of a time, the last one for later times."""
        found = []
        for tensor, listed in zip(nest.flatten(self._tensors), self._lists, strict=True):
            last = api.shape(tensor)[0] - 1
            place = api.minimum(time, last)
            step = items.get_item(listed, place, tensor.dtype.base_dtype, tensor.shape[1:])
            found.append(step)
        return nest.pack_sequence_as(self._tensors, found)


class TrainingHelper(SampledIds):
    """A helper that reads the inputs of all steps: the targets that are known in training.

    `inputs` are [batch, time, ...] or [time, batch, ...] with `time_major`, or a structure of them;
    `sequence_length` is [batch].
    """

    def __init__(
        self, inputs: Any, sequence_length: Any, time_major: bool = False, name: str | None = None
    ) -> None:
        with name_scope(name, "TrainingHelper"):
            inputs = nest.map_structure(convert_to_tensor, inputs)
            if not time_major:
                inputs = nest.map_structure(swapped, inputs)
            self._steps = Steps(inputs)
            self._lengths: Any = convert_to_tensor(sequence_length, name="sequence_length")
            if self._lengths.shape.ndims != 1:
                raise ValueError(
                    "Expected sequence_length to be a vector, but received shape: "
                    f"{self._lengths.shape}"
                )
            self._zeros = nest.map_structure(lambda each: api.zeros_like(each[0]), inputs)
            self._batch_size = api.size(self._lengths)

    @property
    def batch_size(self) -> Any:
        """The number of rows."""
        return self._batch_size

    def initialize(self, name: str | None = None) -> tuple[Any, Any]:
        """The first step of the inputs; rows of length 0 are finished."""
        with name_scope(name, "TrainingHelperInitialize"):
            finished = api.equal(self._lengths, 0)
            inputs = self._read_unless(api.reduce_all(finished), api.constant(0))
        return finished, inputs

    def _read_unless(self, all_finished: Any, time: Any) -> Any:
        return api.cond(all_finished, lambda: self._zeros, lambda: self._steps.read(time))

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """The most probable classes."""
        with name_scope(name, "TrainingHelperSample"):
            return api.cast(api.argmax(outputs, -1), int32)

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
    ) -> tuple[Any, Any, Any]:
        """The next step of the inputs, zeros once all rows are finished."""
        with name_scope(name, "TrainingHelperNextInputs"):
            finished = api.greater_equal(time + 1, self._lengths)
            all_finished = api.reduce_all(finished)
            # A choice of two small tensors costs less than a conditional.
            inputs = nest.map_structure(
                lambda zeros, step: api.where(all_finished, zeros, step),
                self._zeros,
                self._steps.read(time + 1),
            )
        return finished, inputs, state
