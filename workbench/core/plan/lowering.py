"""From the user's graph to the plan: the needed part becomes nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from workbench.core.graph.body import CONTROL_FLOW, LOOPS, Body
from workbench.core.graph.body_graph import VARIABLES, original_variable
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.bodies import Part, used_parts
from workbench.core.plan.inlining import put_in_place
from workbench.core.plan.known_values import KnownValues
from workbench.core.plan.node import FEED, HANDLE, READ, Node, NodeTable, Value
from workbench.core.plan.unrolling import MOST_OPERATIONS

#: Operations whose output is their first input, as it is.
_FORWARDING = frozenset({"Identity", "StopGradient", "PreventGradient", "RefIdentity", "Snapshot"})
#: Operations that only order others.
_ORDERING = frozenset({"NoOp", "ControlTrigger"})


class Lowering:
    """Lowers operations, in an order in which each comes after what it needs."""

    def __init__(
        self,
        table: NodeTable,
        fed: Sequence[Tensor],
        shapes: Mapping[Tensor, Entries],
        constants: Mapping[Tensor, np.ndarray[Any, Any]] = MappingProxyType({}),
    ) -> None:
        self.table = table
        self._shapes = shapes
        #: The value of each tensor but those that stand for variables.
        self.values: dict[Tensor, Value] = {}
        self._nodes: dict[Operation, Node] = {}
        self.completions: dict[Operation, tuple[Node, ...]] = {}
        #: For a tensor that stands for a variable: the variable.
        self.handles: dict[Tensor, Node] = {}
        self.feeds: list[Node] = []
        #: Nodes with effects: they run whatever becomes of their results.
        self.effects: list[Node] = []
        #: For conditionals and loops what is left of them.
        self.parts: dict[Operation, Part] = {}
        self.known = KnownValues()
        #: How many more operations may come from loops that are unrolled, and how many were.
        self.allowance = [MOST_OPERATIONS]
        self.unrolled = 0
        for index, tensor in enumerate(fed):
            node = table.make(
                FEED,
                (),
                {"index": index},
                (tensor.dtype.base_dtype,),
                (self._entries(tensor),),
                tensor.op,
                unique=index,
            )
            self.feeds.append(node)
            self.values[tensor] = node.output()
        for tensor, array in constants.items():
            constant = table.constant(array, tensor.dtype.base_dtype, tensor.op)
            self.values[tensor] = constant.output()

    def inside(self, shapes: Mapping[Tensor, Entries], parts: Mapping[Operation, Part]) -> Lowering:
        """One for a body of an operation, to the same plan."""
        inner = Lowering(self.table, (), shapes)
        inner.parts.update(parts)
        inner.allowance, inner.known = self.allowance, self.known
        return inner

    def take_in(self, inner: Lowering) -> None:
        """Takes over what a body does."""
        self.effects.extend(inner.effects)
        self.unrolled += inner.unrolled

    def lower(self, op: Operation) -> None:
        """Makes the node of one operation."""
        after = self._waits(op)
        if op.type in _ORDERING:
            return
        if op.type in VARIABLES:
            self._lower_variable(op)
            return
        if op.type == "ReadVariableOp":
            handle = self.handles[op.inputs[0]]
            self._set(op, 0, self._read(handle, after, op))
            return
        if op.type in CONTROL_FLOW:
            self._lower_part(op, self.parts[op], after)
            return
        inputs = self._inputs(op.inputs, lambda: self._reference_inputs(op), op, after)
        if op.type in _FORWARDING and not after and op.outputs[0] not in self.values:
            if inputs[0].node.type == HANDLE:
                self.handles[op.outputs[0]] = inputs[0].node
            else:
                self._set(op, 0, inputs[0])
            return
        declaration = registry.lookup(op.type)
        if declaration is None:
            raise NotImplementedError(
                f"Operation {op.name!r} cannot run: there is no operation type {op.type!r} here"
            )
        node = self._node(op, inputs, op.attrs, op.outputs, after)
        for index, output in enumerate(op.outputs):
            self._set(op, index, node.output(index))
            if output.dtype._is_ref_dtype and op.inputs and op.inputs[0] in self.handles:
                # The output of an assignment stands for the variable as well as for its new value.
                self.handles[output] = self.handles[op.inputs[0]]

    def _lower_part(self, op: Operation, part: Part, after: tuple[Node, ...]) -> None:
        """Makes the node of what is left of a conditional or loop, or what it does."""
        tensors = [op.inputs[i] for i in part.inputs]
        # Bodies have the variables themselves.
        bodies: Body = part.attrs["cond" if op.type in LOOPS else "then_branch"]
        first = len(tensors) - len(bodies.arguments)
        variables = {first + i for i, t in enumerate(bodies.arguments) if t.op.type in VARIABLES}
        inputs = self._inputs(tensors, lambda: variables, op, after)
        if put_in_place(self, op, part, inputs, after):
            return
        outputs = [op.outputs[i] for i in part.outputs]
        node = self._node(op, inputs, dict(part.attrs), outputs, after)
        for number, index in enumerate(part.outputs):
            self._set(op, index, node.output(number))

    def _node(
        self,
        op: Operation,
        inputs: tuple[Value, ...],
        attrs: dict[str, Any],
        outputs: Sequence[Tensor],
        after: tuple[Node, ...],
    ) -> Node:
        declaration = registry.lookup(op.type)
        assert declaration is not None
        # A fetched variable operation keeps its place; pure ones merge with their like.
        unique = op.name if declaration.stateful else None
        node = self.table.make(
            op.type,
            inputs,
            attrs,
            tuple([t.dtype.base_dtype for t in outputs]),
            tuple([self._entries(t) for t in outputs]),
            op,
            after,
            unique,
        )
        self._nodes[op] = node
        if declaration.stateful:
            self.effects.append(node)
        return node

    def value(self, tensor: Tensor) -> Value:
        """The value of a fetched tensor."""
        found = self.values.get(tensor)
        if found is None:
            found = self._read(self.handles[tensor], self._waits(tensor.op), tensor.op)
        return found

    def target(self, op: Operation) -> tuple[Node, ...]:
        """What must run for an operation to have run."""
        node = self._nodes.get(op)
        return (node,) if node is not None else self.completion(op)

    # -- parts -------------------------------------------------------------------------------

    def _entries(self, tensor: Tensor) -> Entries:
        return self._shapes.get(tensor, tensor.entries)

    def _set(self, op: Operation, index: int, value: Value) -> None:
        self.values.setdefault(op.outputs[index], value)

    def _lower_variable(self, op: Operation) -> None:
        output = op.outputs[0]
        if output in self.values:
            return
        dtype = output.dtype.base_dtype
        entries = output.entries
        if op.type == "VarHandleOp":
            dtype, entries = op.attrs["dtype"], op.attrs["shape"].entries
        # In bodies another operation stands for the variable.
        op = original_variable(op)
        node = self.table.make(
            HANDLE, (), {"name": op.name}, (dtype,), (entries,), op, unique=op.name
        )
        self.handles[output] = node

    def _read(self, handle: Node, after: tuple[Node, ...], op: Operation) -> Value:
        node = self.table.make(
            READ,
            (handle.output(),),
            {},
            handle.dtypes,
            handle.shapes,
            handle.origin,
            after,
        )
        return node.output()

    def _inputs(
        self,
        tensors: Sequence[Tensor],
        references: Callable[[], set[int]],
        op: Operation,
        after: tuple[Node, ...],
    ) -> tuple[Value, ...]:
        if self.handles.keys().isdisjoint(tensors):
            return tuple([self.values[t] for t in tensors])
        places = references()
        values: list[Value] = []
        for index, tensor in enumerate(tensors):
            handle = self.handles.get(tensor)
            if handle is None:
                values.append(self.values[tensor])
            elif index in places:
                values.append(handle.output())
            elif tensor in self.values:
                values.append(self.values[tensor])
            else:
                values.append(self._read(handle, after, op))
        return tuple(values)

    @staticmethod
    def _reference_inputs(op: Operation) -> set[int]:
        declaration = registry.lookup(op.type)
        if declaration is None:
            return set()
        found: set[int] = set()
        position = 0
        for argument, count in declaration.schema.split_inputs(op.attrs, len(op.inputs)):
            is_handle = argument.is_reference or (
                argument.dtype is not None and argument.dtype.name == "resource"
            )
            if is_handle:
                found.update(range(position, position + count))
            position += count
        return found

    def _waits(self, op: Operation) -> tuple[Node, ...]:
        if not op._control_inputs and self.handles.keys().isdisjoint(op.inputs):
            return ()
        nodes: dict[Node, None] = {}
        for control in op._control_inputs:
            nodes.update(dict.fromkeys(self.completion(control)))
        for tensor in op.inputs:
            # An assignment through the result of another one comes after it.
            if tensor in self.handles and tensor.op in self._nodes:
                nodes[self._nodes[tensor.op]] = None
        return tuple(nodes)

    def completion(self, op: Operation) -> tuple[Node, ...]:
        """The nodes with effects that have run once `op` has."""
        stack = [op]
        while stack:
            current = stack[-1]
            if current in self.completions:
                stack.pop()
                continue
            node = self._nodes.get(current)
            if node is not None and node.has_effect:
                self.completions[current] = (node,)
                stack.pop()
                continue
            before = [*(t.op for t in current.inputs), *current._control_inputs]
            before = [b for b in before if not self._is_fed_only(b)]
            waiting = [b for b in before if b not in self.completions]
            if waiting:
                stack.extend(waiting)
                continue
            nodes: dict[Node, None] = {}
            for b in before:
                nodes.update(dict.fromkeys(self.completions[b]))
            for output in current.outputs:
                value = self.values.get(output)
                if value is not None and value.node.type == READ:
                    nodes[value.node] = None
            self.completions[current] = tuple(nodes)
            stack.pop()
        return self.completions[op]

    def _is_fed_only(self, op: Operation) -> bool:
        return all(
            t in self.values and self.values[t].node.type == FEED for t in op.outputs
        ) and bool(op.outputs)


def lower(
    order: Sequence[Operation],
    fetches: Sequence[Any],
    targets: Sequence[Operation],
    fed: Sequence[Tensor],
    shapes: Mapping[Tensor, Entries],
    table: NodeTable,
    constants: Mapping[Tensor, np.ndarray[Any, Any]],
) -> tuple[Lowering, list[Value], list[Node]]:
    """The lowered operations, the fetched values and the nodes that must run for the targets."""
    lowering = Lowering(table, fed, shapes, constants)
    lowering.parts = used_parts(order, fetches, targets)
    for op in order:
        lowering.lower(op)
    values = [lowering.value(t) for t in fetches]
    roots = dict.fromkeys(lowering.effects)
    for op in targets:
        roots.update(dict.fromkeys(lowering.target(op)))
    return lowering, values, list(roots)
