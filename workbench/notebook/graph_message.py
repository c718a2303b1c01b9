"""A graph, or two laid over each other, as the tables of `graph.get`.

The loops are plain and touch each input once: a graph of 50,000 operations takes a tenth of a
second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.body_signature import body_signature
from workbench.core.graph.difference import Difference
from workbench.core.graph.nested import CONTROL, NestedBody, NestedGraph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor

_LARGEST = 65535


class GraphMessage(NamedTuple):
    """The header of an answer and its buffers."""

    header: dict[str, Any]
    buffers: list[bytes]


class _Table:
    """Strings by number, in order of appearance; number 0 is the empty string."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def column(self, texts: list[str]) -> bytes:
        """The numbers of many strings, of 16 bits each."""
        numbers = [self.number(text) for text in texts]
        if len(self.numbers) > _LARGEST:
            raise ValueError(f"a graph may have {_LARGEST} types and devices at most")
        return np.array(numbers, "<u2").tobytes()


class _Edges:
    """The columns of the edges, in the order in which they are added."""

    def __init__(self) -> None:
        self.sources: list[int] = []
        self.targets: list[int] = []
        self.outputs: list[int] = []
        self.kinds: list[int] = []
        #: The operations whose outputs they are, and which go from one pass of a loop to the next.
        self.owners: list[int] = []
        self.back: list[bool] = []
        self.shapes = _Table()
        self._known: dict[tuple[int, Any], int] = {}

    def shape_number(self, tensor: Tensor) -> int:
        key = (id(tensor.dtype), tensor.entries)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self.shapes.number(shape_text(tensor))
        return number


def shape_text(tensor: Tensor) -> str:
    """The tensor's dtype and static shape, such as "float32[?,784]"; "float32" of unknown rank."""
    entries = tensor.entries
    if entries is None:
        return tensor.dtype.name
    return f"{tensor.dtype.name}[{','.join('?' if e is None else str(e) for e in entries)}]"


def encode(nested: NestedGraph, roles: Any, places: Sequence[str] = ()) -> GraphMessage:
    """The tables of a graph with its bodies, for whose operations `roles` (u8 each) are given.

    `places` are the devices that they run on, where that is known.

    An input made by an operation that is not among them has no edge.
    """
    edges = _Edges()
    if nested.bodies:
        _add_nested(edges, nested)
    else:
        _add_plain(edges, nested)
    bodies = nested.bodies, nested.body_of
    return _message(nested.operations, roles, edges, bodies, places=places)


def _add_plain(edges: _Edges, nested: NestedGraph) -> None:
    """The edges of a graph without bodies: they are what they are."""
    places = nested.places
    sources, targets, outputs, kinds = edges.sources, edges.targets, edges.outputs, edges.kinds
    for target, operation in enumerate(nested.operations):
        for tensor in operation.inputs:
            source = places.get(tensor.op)
            if source is not None:
                sources.append(source)
                targets.append(target)
                outputs.append(tensor.value_index)
                kinds.append(edges.shape_number(tensor))
        for waited in operation._control_inputs:
            source = places.get(waited)
            if source is not None:
                sources.append(source)
                targets.append(target)
                outputs.append(CONTROL)
                kinds.append(0)


def _add_nested(edges: _Edges, nested: NestedGraph) -> None:
    """The edges of a graph with bodies, drawn to and from what is inside."""
    for target in range(len(nested.operations)):
        for edge in nested.incoming(target):
            edges.sources.append(edge.source)
            edges.targets.append(target)
            edges.outputs.append(edge.output)
            edges.kinds.append(0 if edge.tensor is None else edges.shape_number(edge.tensor))
            edges.owners.append(edge.owner)
            edges.back.append(edge.is_back)


def encode_difference(found: Difference, roles: Any) -> GraphMessage:
    """The tables of two graphs laid over each other, with what became of each part."""
    edges = _Edges()
    for edge in found.edges:
        edges.sources.append(edge.source)
        edges.targets.append(edge.target)
        edges.outputs.append(edge.output)
        kind = 0
        if edge.output != CONTROL:
            source = found.operations[edge.owner]
            before = found.was[edge.owner]
            if edge.output >= len(source.outputs) and before is not None:
                source = before  # the edge is gone, and its tensor with it
            kind = edges.shape_number(source.outputs[edge.output])
        edges.kinds.append(kind)
        if found.bodies:
            edges.owners.append(edge.owner)
            edges.back.append(edge.is_back)
    status = found.status.astype("u1").tobytes()
    edge_status = found.edge_status.astype("u1").tobytes()
    bodies = found.bodies, found.body_of
    return _message(found.operations, roles, edges, bodies, status, edge_status)


def _message(
    operations: Sequence[Operation],
    roles: Any,
    edges: _Edges,
    nesting: tuple[Sequence[NestedBody], Sequence[int]],
    status: bytes = b"",
    edge_status: bytes = b"",
    places: Sequence[str] = (),
) -> GraphMessage:
    bodies, body_of = nesting
    if len(bodies) > _LARGEST:
        raise ValueError(f"a graph may have {_LARGEST} bodies of conditionals and loops at most")
    types, devices, runs_on = _Table(), _Table(), _Table()
    buffers = [
        "\n".join([operation.name for operation in operations]).encode(),
        types.column([operation.type for operation in operations]),
        devices.column([operation._device for operation in operations]),
        np.asarray(roles, "u1").tobytes(),
        np.array(edges.sources, "<u4").tobytes(),
        np.array(edges.targets, "<u4").tobytes(),
        np.array(edges.outputs, "<u2").tobytes(),
        np.array(edges.kinds, "<u4").tobytes(),
        status,
        edge_status,
        np.array(body_of, "<u2").tobytes() if bodies else b"",
        np.array(edges.owners, "<u4").tobytes(),
        np.array(edges.back, "u1").tobytes(),
        runs_on.column(list(places)),
    ]
    header = {
        "operations": len(operations),
        "edges": len(edges.sources),
        "types": list(types.numbers),
        "devices": list(devices.numbers),
        "places": list(runs_on.numbers),
        "shapes": list(edges.shapes.numbers),
        "bodies": [
            {"operation": place, "part": part, "signature": body_signature(body)}
            for place, part, body in bodies
        ],
    }
    return GraphMessage(header, buffers)
