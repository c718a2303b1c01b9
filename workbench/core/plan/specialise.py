"""Static shapes of a graph for given sizes of what is fed.

A graph is built with unknown sizes (a batch of any length); a plan is better with known ones. The
needed part of the graph is copied, with the fed shapes, and its shape rules run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.lists.element_types import ElementType, set_element_type
from workbench.core.ops.registry import infer_shapes


def specialised_shapes(
    order: list[Operation],
    fed_shapes: Mapping[Tensor, Entries],
    fed_lists: Mapping[Tensor, ElementType] = MappingProxyType({}),
) -> dict[Tensor, Entries]:
    """The shapes of all tensors of `order` when the fed ones have the given shapes.

    `fed_lists` says what the elements of fed lists are like.
    """
    copies: dict[Tensor, Tensor] = {}
    for tensor, shape in fed_shapes.items():
        copies[tensor] = _copy(tensor.op).outputs[tensor.value_index]
        copies[tensor].entries = shape
    for tensor, found in fed_lists.items():
        copies[tensor] = _copy(tensor.op).outputs[tensor.value_index]
        set_element_type(copies[tensor], found)
    shapes: dict[Tensor, Entries] = dict(fed_shapes)
    for op in order:
        copy = _copy(op)
        changed = False
        inputs = []
        for tensor in op.inputs:
            known = copies.get(tensor, tensor)
            changed = changed or known.entries != tensor.entries
            inputs.append(known)
        copy.inputs = tuple(inputs)
        if changed or any(t in copies for t in op.inputs):
            try:
                _infer(copy)
            except ValueError as error:
                # The graph is sound, what it is fed is not: an error of this run.
                raise InvalidArgumentError(None, op, str(error)) from None
        for output, original in zip(copy.outputs, op.outputs, strict=True):
            if original in fed_shapes or original in fed_lists:
                continue
            output.entries = merge_shapes(output.entries, original.entries)
            copies[original] = output
            shapes[original] = output.entries
    return shapes


def _infer(op: Operation) -> None:
    if op.type not in CONTROL_FLOW:
        infer_shapes(op)
        return
    from workbench.core.plan.body_shapes import shapes_through_bodies

    for output, entries in zip(op.outputs, shapes_through_bodies(op), strict=True):
        output.entries = entries


def _copy(op: Operation) -> Operation:
    types = tuple(t.dtype for t in op.outputs)
    copy = Operation(op.graph, op.type, op.name, op.inputs, types, op.attrs, (), op.frames)
    for output, original in zip(copy.outputs, op.outputs, strict=True):
        output.entries = original.entries
    return copy
