"""Inputs of recurrent networks with an axis of time."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.constants import constant_value
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


def swapped(tensor: Any) -> Tensor:
    """[batch, time, ...] as [time, batch, ...] and the other way round.

    Raises ValueError where the tensor has fewer axes.
    """
    tensor = convert_to_tensor(tensor)
    rank = tensor.shape.ndims
    if rank is None:
        order = api.concat([[1, 0], api.range(2, api.rank(tensor))], 0)
        result: Tensor = api.transpose(tensor, order)
        return result
    if rank < 2:
        raise ValueError(
            f"Expected input tensor {tensor.name} to have rank at least 2, but saw shape: "
            f"{tensor.shape}"
        )
    result = api.transpose(tensor, [1, 0, *range(2, rank)])
    return result


class TimeMajorInputs:
    """Checked inputs [time, batch, ...]: their number of steps, batch size and shapes of a step.

    Raises ValueError where they differ in time or batch, and where another size is unknown.
    """

    def __init__(self, inputs: Any, time_major: bool) -> None:
        flat = nest.flatten(inputs)
        if not flat:
            raise ValueError("inputs must not be empty")
        self._structure = inputs
        self.tensors = [convert_to_tensor(x) if time_major else swapped(x) for x in flat]
        leading = TensorShape([None, None])
        for tensor in self.tensors:
            shape = tensor.shape.with_rank_at_least(3)
            if not shape[2:].is_fully_defined():
                raise ValueError(
                    "Input size (depth of inputs) must be accessible via shape inference, but saw "
                    f"value None: {tensor.name} is [time, batch, ...] = {shape}"
                )
            for axis, what in enumerate(("Time steps is", "Batch_size is")):
                if not leading[axis].is_compatible_with(shape[axis]):
                    raise ValueError(
                        f"{what} not the same for all the elements in the input: "
                        f"{', '.join(str(t.shape) for t in self.tensors)} as [time, batch, ...]"
                    )
            leading = leading.merge_with(shape[:2])
        self.known_steps, self.known_batch_size = leading.as_list()

    @property
    def steps(self) -> Any:
        """How many steps there are: an int where it is known, else a tensor."""
        return self._size(0, self.known_steps)

    @property
    def batch_size(self) -> Any:
        """The batch size: an int where it is known, else a tensor."""
        return self._size(1, self.known_batch_size)

    def _size(self, axis: int, known: int | None) -> Any:
        return api.shape(self.tensors[0])[axis] if known is None else known

    def step_shapes(self) -> list[TensorShape]:
        """The shape of each input in one step."""
        return [TensorShape([self.known_batch_size, *t.shape.as_list()[2:]]) for t in self.tensors]

    def packed(self, tensors: list[Tensor]) -> Any:
        """Tensors of one step in the structure of the inputs."""
        return nest.pack_sequence_as(self._structure, tensors)


def checked_lengths(sequence_length: Any, batch_size: int | None) -> Tensor:
    """`sequence_length` as int32 [batch]; ValueError where its shape is another."""
    lengths = api.to_int32(convert_to_tensor(sequence_length, name="sequence_length"))
    shape = lengths.shape
    if shape.ndims not in (None, 1) or not shape.is_compatible_with([batch_size]):
        raise ValueError(
            "sequence_length must be a vector of length batch_size"
            + ("" if batch_size is None else f" = {batch_size}")
            + f", but saw shape: {shape}"
        )
    result: Tensor = api.identity(lengths, name="sequence_length")
    return result


def are_full(lengths: Tensor, steps: int | None) -> bool:
    """True where it is known that no row ends before the last of `steps`."""
    known = constant_value(lengths)
    return known is not None and steps is not None and bool((known >= steps).all())
