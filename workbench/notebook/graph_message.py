"""A graph as the tables of `graph.get`.

The loops are plain and touch each input once: a graph of 50,000 operations is ready within half a
second, and is kept until it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor

#: The output index of a control edge.
CONTROL = 65535


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


def shape_text(tensor: Tensor) -> str:
    """The tensor's dtype and static shape, such as "float32[?,784]"; "float32" of unknown rank."""
    entries = tensor.entries
    if entries is None:
        return tensor.dtype.name
    return f"{tensor.dtype.name}[{','.join('?' if e is None else str(e) for e in entries)}]"


def encode(operations: Sequence[Operation], roles: Any) -> GraphMessage:
    """The tables of `operations`, whose `roles` (u8 each) are given.

    An input made by an operation that is not among them has no edge.
    """
    index = {operation: i for i, operation in enumerate(operations)}
    types, devices, shapes = _Table(), _Table(), _Table()
    shape_numbers: dict[tuple[int, Any], int] = {}
    sources: list[int] = []
    targets: list[int] = []
    outputs: list[int] = []
    edge_shapes: list[int] = []
    for target, operation in enumerate(operations):
        for tensor in operation.inputs:
            source = index.get(tensor.op)
            if source is None:
                continue
            key = (id(tensor.dtype), tensor.entries)
            number = shape_numbers.get(key)
            if number is None:
                number = shape_numbers[key] = shapes.number(shape_text(tensor))
            sources.append(source)
            targets.append(target)
            outputs.append(tensor.value_index)
            edge_shapes.append(number)
        for waited in operation._control_inputs:
            source = index.get(waited)
            if source is not None:
                sources.append(source)
                targets.append(target)
                outputs.append(CONTROL)
                edge_shapes.append(0)
    header = {
        "operations": len(operations),
        "edges": len(sources),
        "types": [],
        "devices": [],
        "shapes": list(shapes.numbers),
    }
    type_numbers = [types.number(operation.type) for operation in operations]
    device_numbers = [devices.number(operation._device) for operation in operations]
    header["types"] = list(types.numbers)
    header["devices"] = list(devices.numbers)
    return GraphMessage(
        header,
        [
            "\n".join([operation.name for operation in operations]).encode(),
            np.array(type_numbers, "<u2").tobytes(),
            np.array(device_numbers, "<u2").tobytes(),
            np.asarray(roles, "u1").tobytes(),
            np.array(sources, "<u4").tobytes(),
            np.array(targets, "<u4").tobytes(),
            np.array(outputs, "<u2").tobytes(),
            np.array(edge_shapes, "<u4").tobytes(),
            b"",
            b"",
        ],
    )
