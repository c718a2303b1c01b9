"""What bodies take and give: structures of tensors and of values made of several tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.body_graph import BodyGraph
from workbench.core.graph.composite import IndexedSlices, SparseTensor, SparseTensorValue
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api

Rebuild = Callable[[Sequence[Tensor]], Any]


def components(value: Any) -> tuple[list[Tensor], Rebuild]:
    """The tensors that a value is made of, and the function that makes such a value of others.

    Values of several tensors have `_to_components()` and `_from_components(tensors)`.
    """
    if hasattr(value, "_to_components"):
        return list(value._to_components()), value._from_components
    if isinstance(value, SparseTensorValue):
        value = SparseTensor.from_value(value)
    if isinstance(value, SparseTensor):
        return [value.indices, value.values, value.dense_shape], lambda parts: SparseTensor(*parts)
    if isinstance(value, IndexedSlices):
        parts = [value.values, value.indices]
        if value.dense_shape is not None:
            parts.append(value.dense_shape)
        return parts, lambda given: IndexedSlices(*given)
    return [convert_to_tensor(value)], lambda parts: parts[0]


def kind_of(value: Any) -> type:
    """What a value counts as when two are compared: all that become one tensor are one kind."""
    if value is None:
        return type(None)
    if isinstance(value, SparseTensorValue):
        return SparseTensor
    if isinstance(value, (SparseTensor, IndexedSlices)) or hasattr(value, "_to_components"):
        return type(value)
    return Tensor


def flatten(structure: Any) -> list[Any]:
    """The values of a structure in order; sparse ones are values, not structures."""
    return nest.flatten(_hidden(structure))


def _hidden(structure: Any) -> Any:
    """A structure without values that look like structures: they are converted."""
    if isinstance(structure, SparseTensorValue):
        return SparseTensor.from_value(structure)
    if nest.is_sequence(structure):
        return nest.like(structure, [_hidden(child) for child in nest.children(structure)])
    return structure


def own(graph: BodyGraph, tensor: Tensor) -> Tensor:
    """`tensor` as a result of a body: of its graph, and a value rather than a variable."""
    if tensor.op.graph is graph and not tensor.dtype._is_ref_dtype:
        return tensor
    if tensor.op.graph is not graph and not tensor.dtype._is_ref_dtype:
        return graph.capture(tensor)
    value: Tensor = api.identity(tensor)
    return value
