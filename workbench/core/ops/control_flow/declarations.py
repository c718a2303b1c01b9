"""The operations of conditionals and loops, and how they are put together from traced bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.body import Body
from workbench.core.graph.body_graph import BodyGraph, note_elements
from workbench.core.graph.dtypes import DType, variant
from workbench.core.graph.graph import Graph
from workbench.core.graph.loop_shapes import common_entries
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.list_elements import same_dtype
from workbench.core.kernels.tensor_list import ListKind, TensorList
from workbench.core.ops.control_flow.fresh_reads import read_changed_variables
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.plan.bodies import is_stateful
from workbench.core.plan.reach import awaited_outside


def _output_shapes(op: Any) -> list[Entries]:
    shapes = op.attrs.get("output_shapes") or [None] * len(op.outputs)
    return [s.entries if isinstance(s, TensorShape) else s for s in shapes]


def _if_gradient(op: Any, *gradients: Any) -> Any:
    from workbench.core.ops.control_flow.cond_gradient import cond_gradient

    return cond_gradient(op, gradients)


def _while_gradient(op: Any, *gradients: Any) -> Any:
    from workbench.core.ops.control_flow.while_gradient import while_gradient

    return while_gradient(op, gradients)


for _type_name, _stateful in (("If", True), ("StatelessIf", False)):
    declare(
        _type_name,
        inputs="cond: Tcond, input: Tin",
        outputs="output: Tout",
        attrs="Tcond: type, Tin: list(type) >= 0, Tout: list(type) >= 0, then_branch: func, "
        "else_branch: func, output_shapes: list(shape) = []",
        shape=_output_shapes,
        kernel=None,
        gradient=_if_gradient,
        stateful=_stateful,
        updates=0,
    )
for _type_name, _stateful in (("While", True), ("StatelessWhile", False)):
    declare(
        _type_name,
        inputs="input: T",
        outputs="output: T",
        attrs="T: list(type) >= 0, cond: func, body: func, output_shapes: list(shape) = [], "
        "parallel_iterations: int = 10",
        shape=_output_shapes,
        kernel=None,
        gradient=_while_gradient,
        stateful=_stateful,
        updates=0,
    )


def _fake(*, dtype: np.dtype[Any], shape: Any) -> Any:
    """Zeros for what nobody reads: what the branch would give that was not taken."""
    if same_dtype(dtype, variant.numpy_dtype):
        # It is kept in lists of lists like those that the branch gives.
        return TensorList(ListKind(np.dtype(np.float32), None), [])
    sizes = tuple(e if isinstance(e, int) else 0 for e in shape or ())
    return np.zeros(sizes, dtype)


declare(
    "FakeParam",
    outputs="output: dtype",
    attrs="dtype: type, shape: shape",
    shape=lambda op: [op.attrs["shape"].entries],
    kernel=_fake,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample(dtype="float32", shape=(2, 3), want=np.zeros((2, 3), np.float32))],
)


def joint_captures(graphs: Sequence[BodyGraph]) -> list[Tensor]:
    """What several bodies capture together, and every one of them from now on."""
    captured = list(dict.fromkeys(t for graph in graphs for t in graph.captured))
    for graph in graphs:
        for tensor in captured:
            graph.capture(tensor)
    return captured


def add_conditional(
    outer: Graph,
    name: str,
    predicate: Tensor,
    branches: tuple[BodyGraph, BodyGraph],
    results: tuple[Sequence[Tensor], Sequence[Tensor]],
) -> Operation:
    """Adds the operation of a conditional whose branches (true, false) are traced."""
    captured = joint_captures(branches)
    bodies = [
        Body(graph, [graph.capture(t) for t in captured], given, f"{name}_{which}")
        for graph, given, which in zip(branches, results, ("true", "false"), strict=True)
    ]
    shapes = [common_entries([a.entries, b.entries]) for a, b in zip(*results, strict=True)]
    attrs: dict[str, Any] = {
        "Tcond": predicate.dtype.base_dtype,
        "Tin": [t.dtype.base_dtype for t in captured],
        "Tout": [t.dtype.base_dtype for t in results[0]],
        "then_branch": bodies[0],
        "else_branch": bodies[1],
        "output_shapes": [TensorShape.of(s) for s in shapes],
        "_visible_outputs": len(shapes),
    }
    kind = "If" if is_stateful(bodies) else "StatelessIf"
    return _add(outer, kind, name, (predicate, *captured), attrs["Tout"], attrs, bodies)


def add_loop(
    outer: Graph,
    name: str,
    initial: Sequence[Tensor],
    graphs: tuple[BodyGraph, BodyGraph],
    condition: Tensor,
    results: Sequence[Tensor],
    parallel_iterations: int = 10,
    back_prop: bool = True,
) -> Operation:
    """Adds the operation of a loop whose condition and body are traced.

    The graphs have an argument for each initial value. What they capture are further variables of
    the loop, which never change.
    """
    (condition,), results = read_changed_variables(graphs, [[condition], results])
    captured = joint_captures(graphs)
    arguments = [[*graph.arguments, *(graph.capture(t) for t in captured)] for graph in graphs]
    inputs = (*initial, *captured)
    results = [*results, *arguments[1][len(initial) :]]
    types: list[DType] = [t.dtype.base_dtype for t in inputs]
    attrs: dict[str, Any] = {
        "T": types,
        "cond": Body(graphs[0], arguments[0], [condition], f"{name}_cond"),
        "body": Body(graphs[1], arguments[1], results, f"{name}_body"),
        "output_shapes": [TensorShape.of(t.entries) for t in arguments[1]],
        "parallel_iterations": parallel_iterations,
        "_visible_outputs": len(initial),
        "_back_prop": back_prop,
    }
    bodies = attrs["cond"], attrs["body"]
    kind = "While" if is_stateful(bodies) else "StatelessWhile"
    return _add(outer, kind, name, inputs, types, attrs, bodies)


def _add(
    outer: Graph,
    kind: str,
    name: str,
    inputs: Sequence[Tensor],
    types: Sequence[DType],
    attrs: dict[str, Any],
    bodies: Sequence[Body],
) -> Operation:
    found = (w for body in bodies for w in awaited_outside(body, body.results))
    waits = list(dict.fromkeys(found))
    around = {c for scope in outer.scopes.control for c in scope.control_inputs}
    with outer.control_dependencies(waits):
        op = outer.add_operation(kind, outer.full_name(name), tuple(inputs), tuple(types), attrs)
    # It waits for these no longer than what needs them is needed.
    attrs["_awaited_inside"] = [w for w in waits if w not in around]
    for output, result in zip(op.outputs, bodies[-1].results, strict=True):
        note_elements(output, result)
    return op
