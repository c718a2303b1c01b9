"""Shapes that are known better once a plan has been rewritten.

A graph says what is known for every run. Where a plan put something of known size in the place of
something of any size, what follows has known sizes too.
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.registry import infer_shapes
from workbench.core.plan.node import Node, Value

#: Their outputs are no arrays.
_THINGS = frozenset({"variant", "resource"})


def refine_shapes(node: Node) -> None:
    """Has the shape rule of a node look at its inputs as the plan knows them."""
    origin = node.origin
    if origin is None or node.declaration is None or all(map(_is_full, node.shapes)):
        return
    if any(dtype.name in _THINGS for dtype in node.dtypes):
        return
    inputs = tuple([_tensor(value, origin) for value in node.inputs])
    copy = Operation(
        origin.graph, node.type, origin.name, inputs, node.dtypes, node.attrs, (), origin.frames
    )
    try:
        infer_shapes(copy)
        node.shapes = tuple(
            merge_shapes(output.entries, known)
            for output, known in zip(copy.outputs, node.shapes, strict=True)
        )
    except ValueError:
        # The run tells of it.
        return


def _is_full(entries: Entries) -> bool:
    return entries is not None and all(isinstance(e, int) for e in entries)


def _tensor(value: Value, origin: Operation) -> Tensor:
    """A tensor that stands for a value: with its shape, and its number where it is a constant."""
    node = value.node
    attrs: dict[str, Any] = node.attrs if node.is_constant else {}
    kind = "Const" if node.is_constant else "Placeholder"
    op = Operation(origin.graph, kind, node.name, (), (value.dtype,), attrs, (), ())
    op.outputs[0].entries = value.entries
    return op.outputs[0]
