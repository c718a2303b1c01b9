"""The function library of a GraphDef: bodies of conditionals and loops, and functions called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.core.graph.attributes import FunctionName, from_attr_value
from workbench.core.graph.body import BODY_ATTRIBUTES, LOOPS, Body
from workbench.core.graph.body_graph import BodyGraph, note_elements, variable_of
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.function_library import UNIQUE_NAMES
from workbench.core.graph.function_nodes import FunctionNodes
from workbench.core.graph.graph import Graph
from workbench.core.graph.graph_def_nodes import Nodes
from workbench.core.graph.library import Library
from workbench.core.graph.node_importer import NodeImporter
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, TensorShape
from workbench.core.graph.tensor import Tensor

#: Nodes that call the function that an attribute names.
_CALLS = {"PartitionedCall": "f", "StatefulPartitionedCall": "f"}


class Call(NamedTuple):
    """A function and the attributes that it is called with."""

    name: str
    attrs: Mapping[str, Any]


class Functions:
    """The functions of one library; each is brought in anew wherever it is used."""

    def __init__(self, library: Any) -> None:
        self._library = Library(library)

    # -- what nodes need ---------------------------------------------------------------------

    def called(self, node: Any, attrs: Mapping[str, Any]) -> Call | None:
        """The function that a node calls; None for all others, conditionals and loops too."""
        attribute = _CALLS.get(node.op)
        if attribute is not None:
            function = attrs.get(attribute)
            if not isinstance(function, FunctionName):
                raise ValueError(
                    f"graph_def is invalid at node {node.name!r}: it names no function"
                )
            return Call(function.name, dict(function.attrs))
        return Call(node.op, attrs) if node.op in self._library else None

    def bring_in(
        self,
        graph: Graph,
        node: Any,
        attrs: dict[str, Any],
        inputs: Sequence[Tensor],
        scope: str,
        name: str,
    ) -> None:
        """Puts bodies in the place of the names of functions in the attributes of a new operation.

        What other operations call stays in the library of the graph. The operation is to be called
        `name`, and is brought in under `scope`.
        """
        for attribute in BODY_ATTRIBUTES.get(node.op, ()):
            function = attrs.get(attribute)
            if not isinstance(function, FunctionName):
                raise ValueError(
                    f"graph_def is invalid at node {node.name!r}: {attribute!r} names no function"
                )
            is_loop = node.op in LOOPS
            handed = inputs if is_loop else inputs[1:]
            shapes = attrs.get("output_shapes") if is_loop else None
            definition = self._library.callable(function.name, len(handed))
            # The nodes of our own exports keep their names: random streams go by them.
            keeps = definition.attr[UNIQUE_NAMES].b if UNIQUE_NAMES in definition.attr else False
            inside = scope if keeps else f"{name}_{attribute}/"
            attrs[attribute] = self._body(graph, function, definition, handed, shapes, inside)
        for value in attrs.values():
            for item in value if type(value) is list else (value,):
                if isinstance(item, FunctionName):
                    self._keep(graph, item.name)

    def _keep(self, graph: Graph, name: str) -> None:
        """Has a graph keep a function, and those that it calls, for its own export."""
        for definition in self._library.closure([name]):
            kept = definition.signature.name
            known = graph._functions.setdefault(kept, definition)
            if known is not definition and known != definition:
                raise ValueError(
                    f"Cannot add function {kept!r} because a different function with the same "
                    "name already exists."
                )

    # -- bringing functions in ---------------------------------------------------------------

    def _body(
        self,
        graph: Graph,
        function: FunctionName,
        definition: Any,
        inputs: Sequence[Tensor],
        shapes: Sequence[Any] | None,
        scope: str,
    ) -> Body:
        construct = "while_loop" if shapes is not None else "cond"
        inner = BodyGraph(graph, construct)
        with inner.as_default():
            signature = definition.signature.input_arg
            arguments = []
            for index, (tensor, argument) in enumerate(zip(inputs, signature, strict=True)):
                known = shapes[index] if shapes and index < len(shapes) else None
                entries = _entries(definition, index, tensor, known, shapes is not None)
                arguments.append(_argument(inner, tensor, argument, entries))
            call = Call(function.name, dict(function.attrs))
            results, _ = self._add(inner, definition, call, arguments, scope)
        own = [_unwrapped(t, arguments) for t in results]
        return Body(inner, arguments, own, function.name)

    def expand(
        self, graph: Graph, call: Call, inputs: Sequence[Tensor], scope: str
    ) -> tuple[list[Tensor], list[Operation]]:
        """Adds the nodes of a function to a graph: its results, and what else is to have run."""
        definition = self._library.callable(call.name, len(inputs))
        return self._add(graph, definition, call, inputs, scope)

    def _add(
        self,
        graph: Graph,
        definition: Any,
        call: Call,
        arguments: Sequence[Tensor],
        scope: str,
    ) -> tuple[list[Tensor], list[Operation]]:
        """Adds the nodes of a function whose arguments are these tensors."""
        function = FunctionNodes(definition, call.attrs, self._library)
        names = [a.name for a in definition.signature.input_arg]
        replaced = dict(zip(names, arguments, strict=True))
        importer = NodeImporter(graph, Nodes(function.nodes), replaced, scope, self)
        importer.run()
        results = [importer.tensor(reference) for reference in function.results]
        return results, [importer.operation(name) for name in function.effects]


def _entries(definition: Any, index: int, tensor: Tensor, known: Any, is_loop: bool) -> Entries:
    """What is known of the shape of an argument."""
    recorded = definition.arg_attr[index].attr if index in definition.arg_attr else {}
    if "_output_shapes" in recorded:
        shapes = from_attr_value(recorded["_output_shapes"])
        if len(shapes) == 1:
            entries: Entries = shapes[0].entries
            return entries
    if isinstance(known, TensorShape):
        return known.entries
    # The variables of a loop may change their shapes from turn to turn.
    return None if is_loop else tensor.entries


def _argument(graph: BodyGraph, tensor: Tensor, argument: Any, entries: Entries) -> Tensor:
    """What stands for a tensor outside inside of a body."""
    if variable_of(tensor) is not None:
        return graph.capture(tensor)
    dtype = as_dtype(argument.type) if argument.type else tensor.dtype.base_dtype
    if dtype.base_dtype is not tensor.dtype.base_dtype:
        raise ValueError(
            f"Argument {argument.name!r} is {dtype.name}, but what it is called with, "
            f"{tensor.name!r}, is {tensor.dtype.base_dtype.name}"
        )
    inside = graph.argument(dtype, entries, argument.name)
    note_elements(inside, tensor)
    return inside


def _unwrapped(tensor: Tensor, arguments: Sequence[Tensor]) -> Tensor:
    """An argument that is handed on through Identity is seen to be handed on as it is."""
    source = tensor
    while source.op.type == "Identity" and not source.op._control_inputs:
        source = source.op.inputs[0]
    return source if any(source is a for a in arguments) else tensor
