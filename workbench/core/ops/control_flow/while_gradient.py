"""The gradient of a loop is a loop: the backward body for each iteration, the last one first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.gradients.aggregation import aggregate
from workbench.core.graph import dtypes
from workbench.core.graph.body import Body
from workbench.core.graph.body_graph import BodyGraph, note_elements
from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control_flow.declarations import add_loop
from workbench.core.ops.control_flow.gradient_graph import LoopGradientGraph
from workbench.core.ops.control_flow.gradient_values import (
    arguments_with_gradients,
    body_gradients,
    dense,
    is_trainable,
    value_dtype,
    zeros_like,
)
from workbench.core.ops.control_flow.structures import own
from workbench.core.ops.lists.creation import empty
from workbench.core.ops.lists.items import push_back
from workbench.core.ops.lists.joining import concat
from workbench.core.plan.reach import needed_loop_variables, visible_outputs


def while_gradient(op: Operation, gradients: Sequence[Any]) -> list[Any]:
    """The gradients of the inputs of a loop from those of its outputs (None for none)."""
    if not op.attrs.get("_back_prop", True):
        return [None] * len(op.inputs)
    given = {
        i: dense(g, op.outputs[i])
        for i, g in enumerate(gradients)
        if g is not None and is_trainable(op.outputs[i])
    }
    body: Body = op.attrs["body"]
    constant = {i for i, t in enumerate(body.results) if t is body.arguments[i]}
    changing, reached = _connected(body, constant, set(given))
    backward = _Backward(op, body, changing, sorted(reached & constant), given)
    found = backward.gradients()
    for i in _without_gradient(op, body, constant, given) - set(found):
        if _is_number(op.inputs[i]):
            found[i] = zeros_like(op.inputs[i])
    for i in constant & set(given):
        # What the loop hands on as it is has the gradient of what it gives, too.
        found[i] = aggregate([given[i], found.get(i)])
    return [found.get(i) for i in range(len(op.inputs))]


def _connected(body: Body, constant: set[int], given: set[int]) -> tuple[list[int], set[int]]:
    """The loop variables that have gradients at some iteration, and all arguments that do."""
    changing = given - constant
    while True:
        reached = arguments_with_gradients(body, [body.results[i] for i in sorted(changing)])
        more = changing | (reached - constant)
        if more == changing:
            return sorted(changing), reached
        changing = more


def _is_number(tensor: Tensor) -> bool:
    dtype = tensor.dtype.base_dtype
    return dtype.is_floating or dtype.is_complex


def _without_gradient(
    op: Operation, body: Body, constant: set[int], given: dict[int, Tensor]
) -> set[int]:
    """The inputs that have a gradient of zero where they have no other, as in TensorFlow.

    Those are the loop variables on which the differentiated outputs depend in a way that has no
    derivative, and what has a derivative with respect to other outputs only.
    """
    if not given:
        return set()
    visible = visible_outputs(op)
    variables = {i for i in needed_loop_variables(op, given) if i < visible} - constant
    return variables | arguments_with_gradients(body, body.results[:visible])


class _Variable:
    """One variable of the backward loop: its argument, and values before and after."""

    def __init__(self, argument: Tensor, initial: Tensor) -> None:
        self.argument = argument
        self.initial = initial
        self.result: Tensor = argument


class _Backward:
    """The backward loop of a loop."""

    def __init__(
        self,
        op: Operation,
        body: Body,
        changing: Sequence[int],
        constant: Sequence[int],
        given: dict[int, Tensor],
    ) -> None:
        self._op = op
        self._body = body
        self._changing = changing
        self._constant = constant
        self._given = given
        self._outer = get_default_graph()
        self._graph = LoopGradientGraph(self._outer, op, body)
        self._variables: list[_Variable] = []
        #: For each input the variables of the backward loop that have its gradient.
        self._of_input: dict[int, list[_Variable]] = {}

    def gradients(self) -> dict[int, Any]:
        """The gradients of the loop's inputs."""
        if not self._changing:
            return {}
        counter = self._variable(api.constant(0, name="iteration"), "iteration")
        before = {i: self._before(i) for i in self._changing}
        with self._graph.as_default():
            counter.result = api.add(counter.argument, 1)
            self._graph.iteration = self._op.outputs[0] - counter.result
            found = body_gradients(
                self._body,
                self._changing,
                [*self._changing, *self._constant],
                [before[i].argument for i in self._changing],
            )
            by_argument = dict(zip([*self._changing, *self._constant], found, strict=True))
            for i in self._changing:
                self._carry(before[i], i, by_argument[i])
        for i in self._constant:
            if by_argument[i] is not None:
                self._accumulate(i, by_argument[i])
        outputs = self._add(counter)
        return {i: self._gradient(i, variables, outputs) for i, variables in self._of_input.items()}

    # -- the variables of the backward loop --------------------------------------------------

    def _variable(self, initial: Tensor, name: str, entries: Any = ...) -> _Variable:
        shape = initial.entries if entries is ... else entries
        argument = self._graph.argument(initial.dtype.base_dtype, shape, name)
        note_elements(argument, initial)
        made = _Variable(argument, initial)
        self._variables.append(made)
        return made

    def _before(self, i: int) -> _Variable:
        """The gradient of a loop variable after an iteration."""
        output = self._op.outputs[i]
        initial = self._given.get(i)
        if initial is None:
            initial = zeros_like(output)
        made = self._variable(initial, "gradient", self._body.arguments[i].entries)
        note_elements(made.argument, output)
        self._of_input[i] = [made]
        return made

    def _carry(self, variable: _Variable, i: int, gradient: Any) -> None:
        """The gradient of a loop variable before the iteration."""
        argument = self._body.arguments[i]
        found = zeros_like(argument) if gradient is None else dense(gradient, argument)
        variable.result = own(self._graph, found)

    def _accumulate(self, i: int, gradient: Any) -> None:
        """The sum over iterations of the gradient of something that does not change.

        Rows of it are kept in lists: adding them up would take all of it in each iteration.
        """
        if isinstance(gradient, IndexedSlices):
            parts = [gradient.values, _wide(self._graph, gradient.indices)]
            variables = []
            for part in parts:
                initial = empty(_row_shape(part), part.dtype)
                variable = self._variable(initial, "rows")
                with self._graph.as_default():
                    variable.result = push_back(variable.argument, part)
                variables.append(variable)
            self._of_input[i] = variables
            return
        source = self._op.inputs[i]
        variable = self._variable(zeros_like(source), "sum", _value_entries(source))
        with self._graph.as_default():
            total = aggregate([variable.argument, gradient])
            variable.result = own(self._graph, total)
        self._of_input[i] = [variable]

    # -- the operation -----------------------------------------------------------------------

    def _add(self, counter: _Variable) -> Sequence[Tensor]:
        by_argument = {v.argument: v for v in self._variables}
        for stack, argument, rest in self._graph.stacks:
            variable = by_argument[argument] = _Variable(argument, stack)
            variable.result = rest
        order = [by_argument[t] for t in self._graph.arguments]
        condition = BodyGraph(self._outer, self._graph.construct)
        for variable in order:
            known = variable.argument
            copy = condition.argument(known.dtype, known.entries, known.op.name.rpartition("/")[2])
            note_elements(copy, known)
        with condition.as_default():
            index = self._graph.arguments.index(counter.argument)
            goes_on = api.less(condition.arguments[index], self._op.outputs[0])
        made = add_loop(
            self._outer,
            "While",
            [v.initial for v in order],
            (condition, self._graph),
            goes_on,
            [v.result for v in order],
        )
        self._order = order
        return made.outputs

    def _gradient(self, i: int, variables: Sequence[_Variable], outputs: Sequence[Tensor]) -> Any:
        found = [outputs[self._order.index(v)] for v in variables]
        source = self._op.inputs[i]
        if len(found) == 1:
            return found[0]
        values, indices = (
            concat(handle, dtype, shape)[0]
            for handle, dtype, shape in zip(
                found,
                (value_dtype(source), dtypes.int64),
                (self._row_shapes(variables[0]), (None,)),
                strict=True,
            )
        )
        return IndexedSlices(values, indices, api.shape(source))

    @staticmethod
    def _row_shapes(variable: _Variable) -> Any:
        pushed = variable.result.op.inputs[1]
        return _row_shape(pushed)


def _wide(graph: BodyGraph, tensor: Tensor) -> Tensor:
    """Indices as int64, in a graph."""
    with graph.as_default():
        cast: Tensor = api.cast(tensor, dtypes.int64)
        return cast


def _row_shape(tensor: Tensor) -> Any:
    return None if tensor.entries is None else (None, *tensor.entries[1:])


def _value_entries(tensor: Tensor) -> Any:
    if tensor.op.type == "VarHandleOp":
        return tensor.op.attrs["shape"].entries
    return tensor.entries
