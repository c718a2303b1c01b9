"""Graphs of backward bodies: they use what the forward body computed.

What a backward body takes of the forward one is given out by the forward operation, as a further
output of a conditional, stacked in a list by a loop. Constants, what the operation was given, and
what follows from such things alone is there anyhow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from workbench.core.graph.body import Body
from workbench.core.graph.body_graph import BodyGraph, note_elements
from workbench.core.graph.control import ControlDependencies
from workbench.core.graph.dtypes import DType
from workbench.core.graph.function_graph import FunctionGraph
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, registry
from workbench.core.ops.control_flow.steady_shapes import SteadyShapes

#: Operations that take the size of something large: what they give is taken out in its place.
_SIZES = frozenset({"Shape", "Size", "Rank"})
#: What follows from things that are there in more steps than this is not computed again.
_MOST_STEPS = 40
_UNKNOWN = 1 << 30
#: Operations by which places in lists follow from a counter, and how many of them are computed
#: again in place of keeping what they gave.
_COUNTING = frozenset("Add AddV2 Sub Mul Neg FloorDiv FloorMod Minimum Maximum Identity".split())
_MOST_COUNTED = 8


class GradientGraph(BodyGraph):
    """A backward body of `operation`, for the forward body `body`."""

    def __init__(self, outer: Graph, operation: Operation, body: Body) -> None:
        super().__init__(outer, body.graph.construct)
        self.place = f"the gradient of {body.graph.place}"
        self.operation = operation
        self.body = body
        self._place_of = {t: i for i, t in enumerate(body.arguments)}
        self._steps: dict[Operation, int] = {}
        self._looked_at = 0

    def capture(self, tensor: Tensor) -> Tensor:
        """What stands for a tensor of the forward body, or of a graph around, inside this one."""
        inside = self._inside.get(tensor)
        if inside is not None:
            return inside
        if tensor.op.graph is not self.body.graph:
            return super().capture(tensor)
        inside = self._from_forward(tensor)
        self._inside[tensor] = inside
        return inside

    def add_operation(
        self,
        type_name: str,
        name: str,
        inputs: tuple[Tensor, ...],
        output_types: tuple[DType, ...],
        attrs: dict[str, Any],
        compute_shapes: bool = True,
    ) -> Operation:
        """As in any graph; sizes of what the forward body computed are computed there."""
        if type_name in _SIZES and inputs[0].op.graph is self.body.graph:
            size = self._size(type_name, inputs[0], output_types[0], attrs)
            type_name, inputs, attrs = "Identity", (size,), {"T": output_types[0]}
        return super().add_operation(type_name, name, inputs, output_types, attrs, compute_shapes)

    def is_inside(self, graph: Graph) -> bool:
        """True where `graph` is this one, one around it, or a forward body of those."""
        around: Graph = self
        while around is not graph:
            if not isinstance(around, FunctionGraph):
                return False
            if isinstance(around, GradientGraph) and around.body.graph is graph:
                return True
            around = around.outer
        return True

    def control_dependencies(self, control_inputs: Any) -> ControlDependencies:
        """As in any graph; what the forward body did has been done."""
        if control_inputs is not None:
            control_inputs = [
                value
                for value in control_inputs
                if getattr(value, "graph", None) is not self.body.graph
            ]
        return super().control_dependencies(control_inputs)

    def _size(self, type_name: str, tensor: Tensor, dtype: DType, attrs: dict[str, Any]) -> Tensor:
        """The size of a tensor of the forward body, computed there."""
        forward = self.body.graph
        with forward.beside():
            name = forward.unique_name(type_name)
            op = Graph.add_operation(forward, type_name, name, (tensor,), (dtype,), attrs)
        return op.outputs[0]

    # -- taking values of the forward body ---------------------------------------------------

    def _from_forward(self, tensor: Tensor) -> Tensor:
        if tensor.op.type == "Const":
            with self._at_root():
                name = self.unique_name(tensor.op.name.rsplit("/", 1)[-1])
                return self._bare("Const", name, tensor.dtype, dict(tensor.op.attrs))
        place = self._place_of.get(tensor)
        if place is not None and self._is_given(place):
            return self.capture(self._given(place))
        again = self._again(tensor)
        return again if again is not None else self._taken(tensor)

    def _given(self, place: int) -> Tensor:
        """What the forward operation was given for an argument of its body."""
        raise NotImplementedError

    def _is_given(self, place: int) -> bool:
        """True where an argument is what the operation was given, whenever the body runs."""
        return True

    def _taken(self, tensor: Tensor) -> Tensor:
        """A value that the forward body computed, given out by the forward operation."""
        raise NotImplementedError

    def _again(self, tensor: Tensor) -> Tensor | None:
        """The same computed again, where it follows from constants and what does not change."""
        op = tensor.op
        if not self._is_known(op):
            return None
        with self._at_root():
            inputs = tuple([self.capture(t) for t in op.inputs])
            types = tuple([t.dtype for t in op.outputs])
            name = self.unique_name(op.name.rsplit("/", 1)[-1])
            copy = Graph.add_operation(self, op.type, name, inputs, types, dict(op.attrs))
        for output, original in zip(copy.outputs, op.outputs, strict=True):
            output.entries = original.entries
        return copy.outputs[tensor.value_index]

    def _is_known(self, op: Operation) -> bool:
        operations = self.body.graph.get_operations()
        for each in operations[self._looked_at :]:
            self._steps[each] = self._steps_to(each)
        self._looked_at = len(operations)
        return self._steps[op] <= _MOST_STEPS

    def _steps_to(self, op: Operation) -> int:
        """The length of the way to an operation from what is there anyhow."""
        place = self._place_of.get(op.outputs[0]) if op.outputs else None
        if op.type == "Const" or (place is not None and self._is_given(place)):
            return 0
        declaration = registry.lookup(op.type)
        if declaration is None or declaration.stateful or declaration.kernel is None:
            return _UNKNOWN
        if not op.inputs or op._control_inputs or any(t.dtype._is_ref_dtype for t in op.inputs):
            return _UNKNOWN
        return 1 + max(self._steps.get(t.op, _UNKNOWN) for t in op.inputs)


class ConditionalGradientGraph(GradientGraph):
    """The backward body of one branch of a conditional."""

    def _given(self, place: int) -> Tensor:
        return self.operation.inputs[1 + place]

    def _taken(self, tensor: Tensor) -> Tensor:
        return self.capture(given_out(self.operation, self.body, tensor))


def given_out(op: Operation, body: Body, tensor: Tensor) -> Tensor:
    """The output of a conditional that gives what one of its branches computed.

    Where the other branch is taken it has a value that nobody reads.
    """
    known: dict[Tensor, int] = op.attrs.setdefault("_given_out", {})
    if tensor not in known:
        known[tensor] = len(op.outputs)
        for name in ("then_branch", "else_branch"):
            branch: Body = op.attrs[name]
            branch.results.append(tensor if branch is body else _nothing(branch.graph, tensor))
        output = more_output(op, "Tout", tensor)
        assert output.value_index == known[tensor]
    return op.outputs[known[tensor]]


def _nothing(graph: BodyGraph, tensor: Tensor) -> Tensor:
    dtype = tensor.dtype.base_dtype
    with graph.beside():
        attrs = {"dtype": dtype, "shape": tensor.shape}
        name = graph.unique_name("not_taken")
        return Graph.add_operation(graph, "FakeParam", name, (), (dtype,), attrs).outputs[0]


def more_output(op: Operation, types: str, tensor: Tensor) -> Tensor:
    """One more output of an operation with bodies, with the type and shape of `tensor`."""
    output = Tensor(op, len(op.outputs), tensor.dtype.base_dtype)
    output.entries = tensor.entries
    note_elements(output, tensor)
    op.outputs = (*op.outputs, output)
    op.attrs[types] = [*op.attrs[types], output.dtype]
    op.attrs["output_shapes"] = [*op.attrs["output_shapes"], tensor.shape]
    op.graph.note_change()
    return output


class LoopGradientGraph(GradientGraph):
    """The backward body of a loop: what the forward one computed comes from stacks, last first.

    `stacks` lists them: the list outside, its argument here, and what is left of it.
    """

    def __init__(self, outer: Graph, operation: Operation, body: Body) -> None:
        super().__init__(outer, operation, body)
        self.stacks: list[tuple[Tensor, Tensor, Tensor]] = []
        self._steady = SteadyShapes(operation)
        #: The iteration this one goes back over, counted from the first.
        self.iteration: Tensor | None = None

    def _size(self, type_name: str, tensor: Tensor, dtype: DType, attrs: dict[str, Any]) -> Tensor:
        shape = self._steady.of(tensor) if type_name == "Shape" else None
        if shape is None:
            return super()._size(type_name, tensor, dtype, attrs)
        # It is the same in each pass, and known outside.
        with self.outer.as_default(), self.outer.control_dependencies(None):
            sizes = [e if isinstance(e, int) else self._size_outside(e, dtype) for e in shape]
            vector: Tensor = api.stack(sizes) if sizes else api.zeros([0], dtype)
            return api.cast(vector, dtype)  # type: ignore[no-any-return]

    def _size_outside(self, name: str, dtype: DType) -> Any:
        number, axis = self._steady.places[name]
        return api.shape(self.operation.inputs[number], out_type=dtype)[axis]

    def _given(self, place: int) -> Tensor:
        return self.operation.inputs[place]

    def _is_given(self, place: int) -> bool:
        return self.body.results[place] is self.body.arguments[place]

    def _taken(self, tensor: Tensor) -> Tensor:
        from workbench.core.ops.lists.items import pop_back

        counted = self._counted(tensor)
        if counted is not None:
            return counted
        stack = stacked(self.operation, tensor)
        argument = self.argument(stack.dtype, stack.entries, "stack")
        note_elements(argument, stack)
        with self.as_default(), self._at_root():
            rest, value = pop_back(argument, tensor.dtype.base_dtype, tensor.shape)
        value.entries = tensor.entries
        note_elements(value, tensor)
        self.stacks.append((stack, argument, rest))
        return value

    def _counted(self, tensor: Tensor) -> Tensor | None:
        """A loop variable that counts, or what follows from such and from what does not change: it
        follows from the number of the iteration."""
        if self.iteration is None or not self._counts(tensor, _MOST_COUNTED):
            return None
        op = tensor.op
        with self.as_default(), self._at_root():
            if tensor in self._place_of:
                passes = api.cast(self.iteration, tensor.dtype)
                value: Tensor = self._given(self._place_of[tensor]) + passes * self._step(tensor)
                return value
            inputs = tuple([self.capture(t) for t in op.inputs])
            name = self.unique_name(op.name.rsplit("/", 1)[-1])
            copy = Graph.add_operation(self, op.type, name, inputs, (tensor.dtype,), dict(op.attrs))
        return copy.outputs[0]

    def _counts(self, tensor: Tensor, steps: int) -> bool:
        """True for an integer that follows from the number of the iteration in a few steps."""
        if not tensor.dtype.is_integer or tensor.entries != () or not steps:
            return False
        if tensor in self._place_of:
            return self._step(tensor) is not None
        op = tensor.op
        return (
            op.type in _COUNTING
            and not op._control_inputs
            and all(
                t.dtype.is_integer
                and (self._is_known(t.op) or t.op.type == "Const" or self._counts(t, steps - 1))
                for t in op.inputs
            )
        )

    def _step(self, variable: Tensor) -> int | None:
        """How much a loop variable grows in each iteration; None where that is not known."""
        place = self._place_of[variable]
        result = self.body.results[place].op
        if result.type not in ("Add", "AddV2") or variable.entries != ():
            return None
        steps = [t.op for t in result.inputs if t is not variable]
        # A constant outside may be fed.
        if len(steps) != 1 or steps[0].type != "Const":
            return None
        return int(steps[0].attrs["value"].reshape(-1)[0])


def stacked(op: Operation, tensor: Tensor) -> Tensor:
    """The output of a loop that is the list of what `tensor` was in each iteration."""
    from workbench.core.ops.lists.creation import empty
    from workbench.core.ops.lists.items import push_back

    known: dict[Tensor, int] = op.attrs.setdefault("_stacked", {})
    if tensor in known:
        return op.outputs[known[tensor]]
    condition, body = op.attrs["cond"], op.attrs["body"]
    outer = op.graph
    dtype = tensor.dtype.base_dtype
    with outer.as_default(), outer.control_dependencies(None), _root_names(outer, op):
        initial = empty(tensor.shape, dtype)
    arguments = [
        b.graph.argument(initial.dtype, initial.entries, "stack") for b in (condition, body)
    ]
    for argument in arguments:
        note_elements(argument, initial)
    with body.graph.as_default(), body.graph.beside():
        longer = push_back(arguments[1], tensor)
    condition.arguments.append(arguments[0])
    body.arguments.append(arguments[1])
    body.results.append(longer)
    op.inputs = (*op.inputs, initial)
    initial._consumers.append(op)
    known[tensor] = len(op.outputs)
    return more_output(op, "T", initial)


@contextmanager
def _root_names(graph: Graph, op: Operation) -> Iterator[None]:
    """The name scope in which an operation stands."""
    scopes = graph.scopes
    saved, scopes.name = scopes.name, op.name.rpartition("/")[0]
    try:
        yield
    finally:
        scopes.name = saved
