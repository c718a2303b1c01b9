"""The gradient of a conditional is a conditional: of the branch that was taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.body import Body
from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control_flow.declarations import add_conditional
from workbench.core.ops.control_flow.gradient_graph import ConditionalGradientGraph
from workbench.core.ops.control_flow.gradient_values import (
    arguments_with_gradients,
    body_gradients,
    dense,
    is_trainable,
    value_dtype,
    zeros_like,
)
from workbench.core.ops.control_flow.structures import own


def cond_gradient(op: Operation, gradients: Sequence[Any]) -> list[Any]:
    """The gradients of the inputs of a conditional from those of its outputs (None for none)."""
    given = {
        i: dense(g, op.outputs[i])
        for i, g in enumerate(gradients)
        if g is not None and is_trainable(op.outputs[i])
    }
    branches: tuple[Body, Body] = op.attrs["then_branch"], op.attrs["else_branch"]
    reached = [arguments_with_gradients(b, [b.results[i] for i in given]) for b in branches]
    wanted = sorted(reached[0] | reached[1])
    found: list[Any] = [None] * len(op.inputs)
    if not wanted:
        return found
    outer = get_default_graph()
    backward = [_Backward(outer, op, branch, given, wanted) for branch in branches]
    sparse = [i for i in wanted if _is_sparse([branch.gradients.get(i) for branch in backward])]
    some = [i for i in wanted if any(branch.gradients[i] is not None for branch in backward)]
    results = [branch.results(some, set(sparse)) for branch in backward]
    if not some:
        return found
    made = add_conditional(
        outer,
        "If",
        op.inputs[0],
        (backward[0].graph, backward[1].graph),
        (results[0], results[1]),
    )
    outputs = iter(made.outputs)
    for i in some:
        if i in sparse:
            values, indices = next(outputs), next(outputs)
            # The graph may know the shape of what was looked up in.
            found[1 + i] = IndexedSlices(values, indices, _shape_of(op.inputs[1 + i]))
        else:
            found[1 + i] = next(outputs)
    return found


def _is_sparse(gradients: Sequence[Any]) -> bool:
    """True where a branch gives rows: a step that takes it then touches only those."""
    return any(isinstance(g, IndexedSlices) for g in gradients)


def _shape_of(tensor: Tensor) -> Tensor:
    if tensor.op.type == "VarHandleOp":
        return api.constant(tensor.op.attrs["shape"].as_list())  # type: ignore[no-any-return]
    return api.shape(tensor)  # type: ignore[no-any-return]


class _Backward:
    """The backward body of one branch."""

    def __init__(
        self,
        outer: Any,
        op: Operation,
        branch: Body,
        given: dict[int, Tensor],
        wanted: Sequence[int],
    ) -> None:
        self._branch = branch
        self.graph = ConditionalGradientGraph(outer, op, branch)
        with self.graph.as_default():
            found = body_gradients(branch, list(given), wanted, list(given.values()))
        self.gradients = dict(zip(wanted, found, strict=True))

    def results(self, wanted: Sequence[int], sparse: set[int]) -> list[Tensor]:
        """The gradients of arguments as tensors: zeros for those that the branch does not use."""
        results: list[Tensor] = []
        with self.graph.as_default():
            for i in wanted:
                argument, gradient = self._branch.arguments[i], self.gradients[i]
                if i in sparse:
                    results.extend(_rows(gradient, argument))
                elif gradient is None:
                    results.append(zeros_like(argument))
                else:
                    results.append(dense(gradient, argument))
            return [own(self.graph, t) for t in results]


def _rows(gradient: Any, argument: Tensor) -> list[Tensor]:
    """The values and indices of a gradient, the latter as int64."""
    if isinstance(gradient, IndexedSlices):
        return [gradient.values, api.cast(gradient.indices, "int64")]
    if gradient is not None:
        return [gradient, api.range(api.cast(api.shape(gradient)[0], "int64"))]
    if argument.op.type == "VarHandleOp":
        tail: Any = argument.op.attrs["shape"].as_list()[1:]
    else:
        tail = api.shape(argument)[1:]
    sizes = api.concat([[0], tail], 0)
    return [api.zeros(sizes, value_dtype(argument)), api.zeros([0], "int64")]
