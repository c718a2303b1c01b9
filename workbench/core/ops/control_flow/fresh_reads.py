"""Reads of variables that a loop changes: each iteration sees what the one before it assigned.

A variable that is used in a body stands for its value at the start of the step, read outside of the
loop. Where the loop itself assigns to the variable, it is read anew in each iteration.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.graph.body_graph import BodyGraph, original_variable, variable_of
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.bodies import updated_inputs
from workbench.core.plan.reach import needed_operations


def read_changed_variables(
    graphs: Sequence[BodyGraph], results: Sequence[Sequence[Tensor]]
) -> list[list[Tensor]]:
    """Has bodies read the variables that they change themselves; gives their results."""
    changed: set[Operation] = set()
    for wanted in results:
        for op in needed_operations(wanted, (), ()):
            for tensor in updated_inputs(op):
                variable = variable_of(tensor)
                if variable is not None:
                    changed.add(original_variable(variable.op))
    if not changed:
        return [list(wanted) for wanted in results]
    return [
        _with_reads(graph, wanted, changed) for graph, wanted in zip(graphs, results, strict=True)
    ]


def _with_reads(
    graph: BodyGraph, results: Sequence[Tensor], changed: set[Operation]
) -> list[Tensor]:
    fresh: dict[Tensor, Tensor] = {}
    for outside, inside in list(zip(graph.captured, graph.capture_placeholders, strict=True)):
        variable = _read_variable(outside)
        if variable is None or original_variable(variable.op) not in changed:
            continue
        with graph.beside():
            source = graph.capture(variable)
            read = Graph.add_operation(
                graph,
                "Identity",
                graph.unique_name("read"),
                (source,),
                (inside.dtype,),
                {"T": inside.dtype},
            ).outputs[0]
        read.entries = inside.entries
        fresh[inside] = read
        for op in inside.consumers():
            for index, tensor in enumerate(op.inputs):
                if tensor is inside:
                    op.replace_input(index, read)
    return [fresh.get(t, t) for t in results]


def _read_variable(tensor: Tensor) -> Tensor | None:
    """The variable of which a tensor is the value at the start of a step, or None."""
    outside: Tensor | None = tensor
    while outside is not None:
        tensor, outside = outside, outside.graph.outside(outside)
    op = tensor.op
    if op.type != "Identity":
        return None
    source = op.inputs[0]
    return source if source.dtype._is_ref_dtype and variable_of(source) is source else None
