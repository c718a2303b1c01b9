"""Nodes of a GraphDef, or of one of its functions, become operations of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.graph import dtypes
from workbench.core.graph.attributes import from_attr_value
from workbench.core.graph.body import LOOPS
from workbench.core.graph.body_graph import BodyGraph, variable_of
from workbench.core.graph.device import merge_device_names
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.graph import Graph
from workbench.core.graph.graph_def_nodes import Nodes, split_reference
from workbench.core.graph.loop_shapes import widen_loops
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor

if TYPE_CHECKING:
    from workbench.core.graph.function_import import Call, Functions

#: Attributes by which nodes of undeclared types usually tell the type of their outputs.
_TYPE_ATTRIBUTES = ("dtype", "T", "DstT", "out_type", "output_type", "Tout", "output_types")


class NodeImporter:
    """Adds checked nodes to a graph.

    `replaced` has tensors of the graph by what they stand for in the nodes' inputs; `scope` goes in
    front of the nodes' names; `functions` is the library that the nodes may call.
    """

    def __init__(
        self,
        graph: Graph,
        nodes: Nodes,
        replaced: dict[str, Tensor],
        scope: str,
        functions: Functions,
    ) -> None:
        self._graph = graph
        self._nodes = nodes
        self._replaced = replaced
        self._scope = scope
        self._functions = functions
        self._made: dict[str, Operation] = {}
        self._open: list[tuple[Operation, int, str]] = []
        #: The shapes that the GraphDef records, by operation.
        self._recorded: dict[Operation, Any] = {}

    def run(self) -> None:
        """Adds all nodes."""
        for node in self._nodes.ordered():
            self._made[node.name] = self._add(node)
        first = {op: op.outputs[0].entries for op, _, _ in self._open}
        for op, index, reference in self._open:
            op.replace_input(index, self.tensor(reference))
        widen_loops(self._made.values(), first, self._set_shapes)
        self._colocate()

    def operation(self, name: str) -> Operation:
        """The operation made of a node."""
        return self._made[name]

    def element(self, name: str) -> Any:
        """The operation or the tensor that a name means in the definition."""
        if ":" in name:
            source, index = split_reference(name)
            outputs = self._made[source].outputs
            if index >= len(outputs):
                raise ValueError(f"Requested return_element {name!r} not found in graph_def.")
            return outputs[index]
        return self._made[name]

    def tensor(self, reference: str) -> Tensor:
        """The tensor that an input of a node names."""
        key = reference.removesuffix(":0")
        if key in self._replaced:
            return self._replaced[key]
        source, index = split_reference(reference)
        outputs = self._made[source].outputs
        if index >= len(outputs):
            raise ValueError(
                f"graph_def is invalid: Input tensor {reference!r} not found in graph_def: node "
                f"{source!r} of type {self._made[source].type} has only {len(outputs)} outputs"
            )
        return outputs[index]

    def _add(self, node: Any) -> Operation:
        from workbench.core.ops import registry

        attrs = {k: from_attr_value(v) for k, v in node.attr.items()}
        shapes = attrs.pop("_output_shapes", None)
        called = self._functions.called(node, attrs)
        if called is not None:
            return self._call(node, called)
        data = [r for r in node.input if not r.startswith("^")]
        inputs: list[Tensor] = []
        loops: list[tuple[int, str]] = []
        for index, reference in enumerate(data):
            source = split_reference(reference)[0]
            if reference.removesuffix(":0") not in self._replaced and source not in self._made:
                # The value of the first turn stands in until the loop's end exists.
                loops.append((index, reference))
                inputs.append(inputs[0] if inputs else self._stand_in())
            else:
                inputs.append(self.tensor(reference))
        declaration = registry.lookup(node.op)
        if declaration is not None:
            for attribute in declaration.schema.attributes.values():
                if attribute.name not in attrs and attribute.has_default:
                    attrs[attribute.name] = attribute.default
            self._check(node, declaration, attrs, inputs)
            types = declaration.schema.output_types(attrs)
        else:
            types = self._guessed_types(node, attrs)
        name = self._free_name(node.name)
        self._functions.bring_in(self._graph, node, attrs, inputs, self._scope, name)
        try:
            op = self._graph.add_operation(node.op, name, tuple(inputs), types, attrs)
        except ValueError as error:
            raise ValueError(f"graph_def is invalid at node {node.name!r}: {error}") from None
        op._control_inputs += tuple(self._controls(node))
        if node.device:
            op._device = merge_device_names(node.device, op.device)
        for index, reference in loops:
            self._open.append((op, index, reference))
        if op.type in LOOPS:
            self._see_through(node.name, op)
        if shapes:
            self._recorded[op] = shapes
            self._set_shapes(op)
        return op

    def _see_through(self, name: str, op: Operation) -> None:
        """A variable that a loop only uses is the variable itself after the loop, too."""
        body = op.attrs["body"]
        for index, tensor in enumerate(op.inputs):
            if body.results[index] is body.arguments[index] and variable_of(tensor) is not None:
                self._replaced[f"{name}:{index}" if index else name] = tensor

    def _call(self, node: Any, called: Call) -> Operation:
        """Puts the nodes of a function in the place of a node that calls it.

        The node itself is there afterwards, too: it gives the results once the effects are over.
        """
        inputs = [self.tensor(r) for r in node.input if not r.startswith("^")]
        name = self._free_name(node.name)
        with self._graph.control_dependencies(self._controls(node)):
            results, effects = self._functions.expand(self._graph, called, inputs, f"{name}/")
        for index, result in enumerate(results):
            if result.dtype.name == "resource" or result.dtype._is_ref_dtype:
                # What stands for a variable must be seen to do so.
                key = node.name if not index else f"{node.name}:{index}"
                self._replaced[key] = result
        types = tuple(t.dtype.base_dtype for t in results)
        with self._graph.control_dependencies([*self._controls(node), *effects]):
            kind = "IdentityN" if results else "NoOp"
            attrs = {"T": list(types)} if results else {}
            return self._graph.add_operation(kind, name, tuple(results), types, attrs)

    def _free_name(self, name: str) -> str:
        """The name of a new operation: the node's own in the scope, if nothing has it."""
        full = f"{self._scope}{name}"
        if self._graph._names.is_used(full) and self._is_taken(full):
            return self._graph.unique_name(name)
        self._graph._names.mark(full)
        return full

    def _is_taken(self, full: str) -> bool:
        return full in self._graph._by_name or isinstance(self._graph, BodyGraph)

    def _controls(self, node: Any) -> list[Operation]:
        return [self._control(r[1:]) for r in node.input if r.startswith("^")]

    def _control(self, name: str) -> Operation:
        replaced = self._replaced.get(f"^{name}")
        return replaced.op if replaced is not None else self._made[name]

    def _stand_in(self) -> Tensor:
        from workbench.core.ops import constant

        return constant.constant(0.0, name="loop")

    def _colocate(self) -> None:
        """Lets the groups of the new operations have their new names, and their devices follow."""
        for node_name, op in self._made.items():
            node = self._nodes.by_name[node_name]
            if "_class" not in node.attr:
                continue
            names = [group.decode() for group in node.attr["_class"].list.s]
            beside = [self._made[n.removeprefix("loc:@")] for n in names if n.startswith("loc:@")]
            others = [n for n in names if not n.startswith("loc:@")]
            op.attrs["_class"] = [*others, *(f"loc:@{each.name}" for each in beside)]
            if beside and op not in beside:
                devices = (each.device for each in beside if each.device)
                op._set_device(next(devices, node.device))

    def _set_shapes(self, op: Operation) -> None:
        for output, shape in zip(op.outputs, self._recorded.get(op, ()), strict=False):
            if isinstance(shape, TensorShape):
                try:
                    output.set_shape(shape)
                except ValueError:
                    # What was recorded elsewhere must not contradict what the inputs say here.
                    continue

    @staticmethod
    def _check(node: Any, declaration: Any, attrs: dict[str, Any], inputs: list[Tensor]) -> None:
        try:
            parts = declaration.schema.split_inputs(attrs, len(inputs))
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"graph_def is invalid at node {node.name!r}: More or fewer inputs specified than "
                f"the {node.op!r} Op takes ({error})"
            ) from None
        position = 0
        for argument, count in parts:
            for i in range(count):
                tensor = inputs[position + i]
                expected = argument.dtype
                if argument.type_attr:
                    known = attrs.get(argument.type_attr)
                    expected = known[i] if isinstance(known, list) else known
                if argument.is_reference and not tensor.dtype._is_ref_dtype:
                    raise ValueError(
                        f"graph_def is invalid at node {node.name!r}: Input tensor "
                        f"{tensor.name!r} Cannot convert a tensor of type "
                        f"{tensor.dtype.name} to an input of type {tensor.dtype.name}_ref"
                    )
                if expected is not None and tensor.dtype.base_dtype is not expected.base_dtype:
                    raise ValueError(
                        f"graph_def is invalid at node {node.name!r}: Input tensor "
                        f"{tensor.name!r} Cannot convert a tensor of type "
                        f"{tensor.dtype.base_dtype.name} to an input of type {expected.name}."
                    )
            position += count

    def _guessed_types(self, node: Any, attrs: dict[str, Any]) -> tuple[DType, ...]:
        """Types of the outputs of an undeclared operation: as many as are used, at least one."""
        count = self._nodes.highest_output.get(node.name, 0) + 1
        for key in _TYPE_ATTRIBUTES:
            value = attrs.get(key)
            if isinstance(value, list) and value:
                types = [as_dtype(t) for t in value]
                return tuple(types + [types[-1]] * (count - len(types)))
            if isinstance(value, DType):
                return (value,) * count
        return (dtypes.variant,) * count
