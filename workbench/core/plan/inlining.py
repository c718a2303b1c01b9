"""Bodies that are put in the place of the conditional or loop that has them.

The branch that is known to be taken; both branches, where computing them is cheaper than choosing
first; the passes of a loop, where it is known how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.graph.body import CONDITIONALS, Body
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.bodies import Part, used_parts
from workbench.core.plan.node import Node, Value
from workbench.core.plan.reach import needed_inside
from workbench.core.plan.specialise import specialised_shapes
from workbench.core.plan.unrolling import known_passes

if TYPE_CHECKING:
    from workbench.core.plan.lowering import Lowering

#: Both branches are computed where they have no more operations than this, on no more elements:
#: choosing takes as long.
_CHEAP_OPERATIONS = 16
_CHEAP_ELEMENTS = 1 << 10
#: Operations that are cheap beside those on each element.
_CHEAP = frozenset({"Const", "Identity", "Reshape", "ExpandDims", "Squeeze", "Select", "Fill"})


def put_in_place(
    outer: Lowering,
    op: Operation,
    part: Part,
    inputs: tuple[Value, ...],
    after: tuple[Node, ...],
) -> bool:
    """Lowers what a conditional or loop does in its place; False where it stays what it is.

    `inputs` are the values of the inputs that are left of it.
    """
    if after:
        return False
    if op.type in CONDITIONALS:
        return _put_known_branch(outer, op, part) or _put_both_branches(outer, op, part, inputs)
    return op.type == "StatelessWhile" and _put_passes(outer, op, part, inputs)


def _inner_order(body: Body, results: Sequence[Tensor]) -> list[Operation]:
    """What a body needs for its results, its arguments left out."""
    arguments = set(body.arguments)
    return [o for o in needed_inside(body, results) if arguments.isdisjoint(o.outputs)]


class _Body:
    """A body that is lowered once or more often, for some of its results."""

    def __init__(self, outer: Lowering, body: Body, results: Sequence[Tensor]) -> None:
        self._outer = outer
        self._body = body
        self._results = results
        self.order = _inner_order(body, results)
        self._parts = used_parts(self.order, results, ())
        self._entries: list[Entries] = []
        self._shapes: dict[Tensor, Entries] = {}

    def lowered(
        self, arguments: Mapping[Tensor, Value], handles: Mapping[Tensor, Node] | None = None
    ) -> Lowering:
        """The lowering of the body for these arguments, which has the values of its tensors."""
        entries = [v.entries for v in arguments.values()]
        if entries != self._entries:
            self._entries = entries
            self._shapes = _shapes_inside(self.order, arguments)
        inner = self._outer.inside(self._shapes, self._parts)
        inner.values.update(arguments)
        inner.handles.update(handles or {})
        for each in self.order:
            inner.lower(each)
        self._outer.take_in(inner)
        return inner


def _shapes_inside(
    order: list[Operation], arguments: Mapping[Tensor, Value]
) -> dict[Tensor, Entries]:
    """The shapes of a body's tensors, where its arguments have more than they always have."""
    known: dict[Tensor, Any] = {t: v.entries for t, v in arguments.items() if v.entries is not None}
    if all(t.entries == e for t, e in known.items()):
        return {}
    return specialised_shapes(order, known)


def _put_known_branch(outer: Lowering, op: Operation, part: Part) -> bool:
    predicate = outer.known.of(outer.values[op.inputs[0]])
    if predicate is None or predicate.size != 1:
        return False
    branch: Body = part.attrs["then_branch" if predicate else "else_branch"]
    values: dict[Tensor, Value] = {}
    handles: dict[Tensor, Node] = {}
    given = [op.inputs[i] for i in part.inputs[1:]]
    for argument, tensor in zip(branch.arguments, given, strict=True):
        if tensor in outer.handles:
            handles[argument] = outer.handles[tensor]
        else:
            values[argument] = outer.values[tensor]
    inner = _Body(outer, branch, branch.results).lowered(values, handles)
    nodes: dict[Node, None] = {}
    for index, result in zip(part.outputs, branch.results, strict=True):
        outer.values.setdefault(op.outputs[index], inner.value(result))
        nodes.update(dict.fromkeys(inner.completion(result.op)))
    outer.completions[op] = tuple(nodes)
    return True


def _put_both_branches(
    outer: Lowering, op: Operation, part: Part, inputs: tuple[Value, ...]
) -> bool:
    """A choice between results takes the place of the choice of what computes them."""
    if op.type != "StatelessIf" or inputs[0].entries != ():
        return False
    branches: list[Body] = [part.attrs["then_branch"], part.attrs["else_branch"]]
    if not part.outputs or not all(_is_cheap(body, body.results) for body in branches):
        return False
    sides = []
    for body in branches:
        arguments = dict(zip(body.arguments, inputs[1:], strict=True))
        inner = _Body(outer, body, body.results).lowered(arguments)
        sides.append([inner.value(result) for result in body.results])
    if any(
        yes.entries != no.entries or yes.dtype is not no.dtype or not _is_small(yes)
        for yes, no in zip(*sides, strict=True)
    ):
        return False
    for index, yes, no in zip(part.outputs, *sides, strict=True):
        node = outer.table.make(
            "Select", (inputs[0], yes, no), {"T": yes.dtype}, (yes.dtype,), (yes.entries,), op
        )
        outer.values.setdefault(op.outputs[index], node.output())
    outer.completions[op] = ()
    return True


def _is_cheap(body: Body, results: Sequence[Tensor]) -> bool:
    """True where computing the results costs next to nothing, and cannot fail."""
    order = _inner_order(body, results)
    if len(order) > _CHEAP_OPERATIONS:
        return False
    for op in order:
        declaration = registry.lookup(op.type)
        if declaration is None or declaration.stateful or op._control_inputs:
            return False
        if not declaration.elementwise and op.type not in _CHEAP:
            return False
        if any(t.dtype.base_dtype.is_integer for t in op.inputs) and "Div" in op.type:
            # An integer is not divided by zero where it is not asked for.
            return False
        if "Mod" in op.type:
            return False
    return True


def _is_small(value: Value) -> bool:
    entries = value.entries
    if entries is None or not all(isinstance(e, int) for e in entries):
        return False
    size = math.prod(e for e in entries if isinstance(e, int))
    return size <= _CHEAP_ELEMENTS and value.dtype.as_numpy_dtype is not object


def _put_passes(outer: Lowering, op: Operation, part: Part, inputs: tuple[Value, ...]) -> bool:
    """The passes of a loop, one after the other."""
    condition: Body = part.attrs["cond"]
    body: Body = part.attrs["body"]
    passes = known_passes(condition, body, lambda i: outer.known.of(inputs[i]), outer.allowance[0])
    if passes is None:
        return False
    inside = _Body(outer, body, body.results)
    outer.allowance[0] -= len(inside.order) * (len(passes) - 1)
    states = list(inputs)
    for number, known in enumerate(passes):
        for i, array in known.items():
            dtype = states[i].dtype
            states[i] = outer.table.constant(array, dtype, body.arguments[i].op).output()
        if number < len(passes) - 1:
            around, outer.table.passes = outer.table.passes, ((number, op), *outer.table.passes)
            inner = inside.lowered(dict(zip(body.arguments, states, strict=True)))
            outer.table.passes = around
            states = [inner.value(result) for result in body.results]
    outer.unrolled += 1
    for index, state in zip(part.outputs, states, strict=True):
        outer.values.setdefault(op.outputs[index], state)
    outer.completions[op] = ()
    return True
