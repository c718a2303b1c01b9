"""Everything the graph view tells about one operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.dtypes import DType
from workbench.core.graph.nested import NestedGraph
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.notebook.cells import CellMap, line_message
from workbench.notebook.graph_message import shape_text

_MAXIMUM_TEXT = 200
_MAXIMUM_CONSUMERS = 1000


def node_details(
    operation: Operation,
    cells: CellMap | None,
    role: int = 0,
    nested: NestedGraph | None = None,
) -> dict[str, Any]:
    """The protocol's answer to `graph.node`; `nested` is needed for operations in bodies."""
    return {
        **description(operation),
        **_place_inside(operation, nested),
        "name": operation.name,
        "role": role,
        "control_inputs": [waited.name for waited in operation.control_inputs],
        "line": line_message(user_line(operation.frames), cells),
        "was": None,
    }


def _place_inside(operation: Operation, nested: NestedGraph | None) -> dict[str, Any]:
    """The body that an operation is in, and what an argument of a body is given."""
    place = None if nested is None else nested.places.get(operation)
    body = None if nested is None or place is None else nested.body(place)
    if nested is None or place is None or body is None:
        return {"inside": None}
    around = {"operation": nested.operations[body.operation].name, "part": body.part}
    given = [{"tensor": t.name, "shape": shape_text(t)} for t in nested.given(place)]
    return {"inside": around, **({"inputs": given} if given else {})}


def description(operation: Operation) -> dict[str, Any]:
    """What two graphs may disagree about: type, device, attributes, inputs and outputs."""
    return {
        "type": operation.type,
        "device": operation.device,
        "attributes": [
            [name, attribute_text(value)] for name, value in sorted(operation.attrs.items())
        ],
        "inputs": [{"tensor": t.name, "shape": shape_text(t)} for t in operation.inputs],
        "outputs": [_output(t) for t in operation.outputs],
    }


def _output(tensor: Tensor) -> dict[str, Any]:
    consumers = dict.fromkeys(operation.name for operation in tensor.consumers())
    return {
        "tensor": tensor.name,
        "shape": shape_text(tensor),
        "consumers": list(consumers)[:_MAXIMUM_CONSUMERS],
    }


def attribute_text(value: Any) -> str:
    """An attribute's value as one line.

    >>> attribute_text([1, 2, 2, 1]), attribute_text(b"NHWC"), attribute_text(True)
    ('[1, 2, 2, 1]', 'NHWC', 'True')
    """
    if isinstance(value, DType):
        text = value.name
    elif isinstance(value, TensorShape):
        text = str(value)
    elif isinstance(value, np.ndarray):
        text = _array_text(value)
    elif isinstance(value, bytes):
        text = value.decode("utf-8", "backslashreplace")
    elif isinstance(value, str):
        text = value
    elif isinstance(value, (list, tuple)):
        shown = ", ".join(attribute_text(item) for item in value[:32])
        text = f"[{shown}{', ...' if len(value) > 32 else ''}]"
    else:
        text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= _MAXIMUM_TEXT else f"{text[: _MAXIMUM_TEXT - 3]}..."


def _array_text(array: np.ndarray[Any, Any]) -> str:
    with np.printoptions(threshold=16, edgeitems=3, precision=6):
        values = str(array.reshape(-1)[:16] if array.size > 16 else array)
    shape = ",".join(str(size) for size in array.shape)
    more = " ..." if array.size > 16 else ""
    return f"{array.dtype}[{shape}] {values}{more}"
