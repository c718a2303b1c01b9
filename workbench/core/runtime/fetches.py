"""Fetches: nested structures of tensors, operations and names, taken apart and put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.graph.composite import (
    IndexedSlices,
    IndexedSlicesValue,
    SparseTensor,
    SparseTensorValue,
)
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.session_tensors import HANDLE_OPERATIONS, as_handle

#: Puts the structure together from the flat list of fetched values (None for operations).
Builder = Callable[[list[Any]], Any]


class FetchPlan:
    """The distinct tensors and operations of a fetch structure, and how to rebuild it."""

    def __init__(self, graph: Graph, fetches: Any) -> None:
        self._graph = graph
        self.elements: list[Tensor | Operation] = []
        self._positions: dict[Tensor | Operation, int] = {}
        self.build = self._structure(fetches)
        self.tensors = [e for e in self.elements if isinstance(e, Tensor)]
        self.targets = [e for e in self.elements if isinstance(e, Operation)]
        self.tensor_positions = [i for i, e in enumerate(self.elements) if isinstance(e, Tensor)]

    def form(self) -> tuple[str, tuple[int, ...]] | None:
        """("single", "list" or "tuple", positions in `elements`) of a structure that is no deeper;
        None for others."""
        built = self.build(list(range(len(self.elements))))
        kind = {int: "single", list: "list", tuple: "tuple"}.get(type(built))
        if kind is None:
            return None
        items = (built,) if kind == "single" else tuple(built)
        return (kind, items) if all(type(i) is int for i in items) else None

    def results(self, values: tuple[Any, ...]) -> Any:
        """The structure filled with the values of `tensors`."""
        flat: list[Any] = [None] * len(self.elements)
        for position, value in zip(self.tensor_positions, values, strict=True):
            flat[position] = value
        return self.build(flat)

    def _element(self, value: Any, original: Any) -> int:
        try:
            element = self._graph.as_graph_element(value)
        except TypeError as error:
            raise TypeError(
                f"Fetch argument {original!r} has invalid type {type(original)}, must be a string "
                f"or Tensor. ({error})"
            ) from None
        except ValueError as error:
            raise ValueError(
                f"Fetch argument {original!r} cannot be interpreted as a Tensor. ({error})"
            ) from None
        except KeyError as error:
            raise ValueError(
                f"Fetch argument {original!r} cannot be interpreted as a Tensor. ({error.args[0]})"
            ) from None
        if not self._graph.is_fetchable(element):
            raise ValueError(f"{element.name} may not be fetched.")
        position = self._positions.get(element)
        if position is None:
            position = self._positions[element] = len(self.elements)
            self.elements.append(element)
        return position

    def _structure(self, value: Any) -> Builder:
        if value is None:
            raise TypeError(f"Fetch argument {value!r} has invalid type {type(value)}")
        if isinstance(value, SparseTensor):
            return self._composite(SparseTensorValue, list(value))
        if isinstance(value, IndexedSlices):
            parts: list[Any] = [value.values, value.indices, value.dense_shape]
            return self._composite(IndexedSlicesValue, parts)
        if isinstance(value, (list, tuple)):
            return self._sequence(value)
        if isinstance(value, Mapping):
            keys = list(value)
            builders = [self._structure(value[k]) for k in keys]
            kind: Any = type(value) if type(value).__module__ == "collections" else dict
            if kind.__name__ == "defaultdict":
                kind = dict
            return lambda flat: kind((k, b(flat)) for k, b in zip(keys, builders, strict=True))
        attributes = getattr(type(value), "__attrs_attrs__", None)
        if attributes is not None:
            builders = [self._structure(getattr(value, a.name)) for a in attributes]
            made = type(value)
            return lambda flat: made(*(b(flat) for b in builders))
        position = self._element(value, value)
        element = self.elements[position]
        if isinstance(element, Tensor) and element.op.type in HANDLE_OPERATIONS:
            dtype = element.op.inputs[0].dtype.base_dtype
            return lambda flat: as_handle(flat[position], dtype)
        return lambda flat: flat[position]

    def _composite(self, kind: Any, parts: list[Any]) -> Builder:
        positions = [None if p is None else self._element(p, p) for p in parts]
        return lambda flat: kind(*(None if p is None else flat[p] for p in positions))

    def _sequence(self, value: Any) -> Builder:
        builders = [self._structure(v) for v in value]
        if hasattr(value, "_fields"):
            made = type(value)
            return lambda flat: made(*(b(flat) for b in builders))
        if isinstance(value, tuple):
            return lambda flat: tuple(b(flat) for b in builders)
        return lambda flat: [b(flat) for b in builders]
