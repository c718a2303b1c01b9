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
from workbench.core.graph.graph_def_nodes import Nodes, split_reference
from workbench.core.graph.library import Library
from workbench.core.graph.loop_shapes import common_entries
from workbench.core.graph.node_importer import NodeImporter
from workbench.core.graph.operation import Operation
from workbench.core.graph.raising.graph_defs import has_raw_control_flow, raise_nodes
from workbench.core.graph.shapes import Entries, TensorShape
from workbench.core.graph.tensor import Tensor

#: So often are the shapes in a loop looked at again that its turns change.
_MOST_ROUNDS = 8
#: Nodes that call the function that an attribute names.
_CALLS = {"PartitionedCall": "f", "StatefulPartitionedCall": "f"}


class Call(NamedTuple):
    """A function and the attributes that it is called with."""

    name: str
    attrs: Mapping[str, Any]


class _User(NamedTuple):
    """An operation's attribute that names a function, and what that is to be called with."""

    attribute: str
    function: FunctionName
    definition: Any
    inputs: tuple[Tensor, ...]
    scope: str

    def recorded(self) -> list[TensorShape | None]:
        """The shapes of the arguments, where the function says them."""
        found: list[TensorShape | None] = []
        for index in range(len(self.inputs)):
            known = self.definition.arg_attr
            attr = known[index].attr if index in known else {}
            shapes = from_attr_value(attr["_output_shapes"]) if "_output_shapes" in attr else []
            found.append(shapes[0] if len(shapes) == 1 else None)
        return found


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
        if node.op in BODY_ATTRIBUTES:
            users = [
                self._user(node, attribute, attrs, inputs, scope, name)
                for attribute in BODY_ATTRIBUTES[node.op]
            ]
            (self._loop if node.op in LOOPS else self._conditional)(graph, users, attrs)
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

    def _user(
        self,
        node: Any,
        attribute: str,
        attrs: Mapping[str, Any],
        inputs: Sequence[Tensor],
        scope: str,
        name: str,
    ) -> _User:
        function = attrs.get(attribute)
        if not isinstance(function, FunctionName):
            raise ValueError(
                f"graph_def is invalid at node {node.name!r}: {attribute!r} names no function"
            )
        handed = inputs if node.op in LOOPS else inputs[1:]
        definition = self._library.callable(function.name, len(handed))
        # The nodes of our own exports keep their names: random streams go by them.
        keeps = definition.attr[UNIQUE_NAMES].b if UNIQUE_NAMES in definition.attr else False
        inside = scope if keeps else f"{name}_{attribute}/"
        return _User(attribute, function, definition, tuple(handed), inside)

    def _conditional(self, graph: Graph, users: Sequence[_User], attrs: dict[str, Any]) -> None:
        bodies = []
        for user in users:
            entries = [
                recorded.entries if recorded is not None else tensor.entries
                for recorded, tensor in zip(user.recorded(), user.inputs, strict=True)
            ]
            body = self._body(graph, user, entries, "cond")
            attrs[user.attribute] = body
            bodies.append(body)
        if not attrs.get("output_shapes") and len({len(b.results) for b in bodies}) == 1:
            results = zip(*(b.results for b in bodies), strict=True)
            shapes = [common_entries([t.entries for t in each]) for each in results]
            attrs["output_shapes"] = [TensorShape.of(s) for s in shapes]

    def _loop(self, graph: Graph, users: Sequence[_User], attrs: dict[str, Any]) -> None:
        condition, body = users
        known: list[TensorShape | None] = list(attrs.get("output_shapes") or body.recorded())
        known += [None] * (len(body.inputs) - len(known))
        entries = [
            shape.entries if shape is not None else tensor.entries
            for shape, tensor in zip(known, body.inputs, strict=False)
        ]
        for rounds_left in range(_MOST_ROUNDS, -1, -1):
            made = self._body(graph, body, entries, "while_loop")
            if len(made.results) != len(entries):
                raise ValueError(
                    f"Function {body.function.name!r} gives {len(made.results)} values for the "
                    f"{len(entries)} variables of its loop"
                )
            # What a turn changes is not known of the turns to come.
            wider = [
                e if shape is not None else common_entries([e, t.entries]) if rounds_left else None
                for e, t, shape in zip(entries, made.results, known, strict=False)
            ]
            if wider == entries:
                break
            entries = wider
        attrs[body.attribute] = made
        attrs[condition.attribute] = self._body(graph, condition, entries, "while_loop")
        attrs["output_shapes"] = [TensorShape.of(e) for e in entries]

    def _body(self, graph: Graph, user: _User, entries: Sequence[Entries], construct: str) -> Body:
        inner = BodyGraph(graph, construct)
        with inner.as_default():
            signature = user.definition.signature.input_arg
            arguments = [
                _argument(inner, tensor, argument, shape)
                for tensor, argument, shape in zip(user.inputs, signature, entries, strict=True)
            ]
            call = Call(user.function.name, dict(user.function.attrs))
            results, _ = self._add(inner, user.definition, call, arguments, user.scope)
        own = [_unwrapped(t, arguments) for t in results]
        return Body(inner, arguments, own, user.function.name)

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
        nodes = self._raised(function, definition, isinstance(graph, BodyGraph))
        importer = NodeImporter(graph, Nodes(nodes), replaced, scope, self)
        importer.run()
        results = [importer.tensor(reference) for reference in function.results]
        return results, [importer.operation(name) for name in function.effects]

    def _raised(self, function: FunctionNodes, definition: Any, is_body: bool) -> list[Any]:
        """The nodes of a function; raw control flow in it is functional where it can be.

        ValueError where it cannot and has to: the bodies of conditionals and loops are programs
        without dead values.
        """
        if not has_raw_control_flow(function.nodes):
            return function.nodes
        arguments = [(a.name, as_dtype(a.type)) for a in definition.signature.input_arg]
        kept = [*(split_reference(r)[0] for r in function.results), *function.effects]
        nodes = raise_nodes(function.nodes, arguments, kept, self._library.functions)
        if is_body and has_raw_control_flow(nodes):
            raise ValueError(
                f"Function {definition.signature.name!r} has loops or branches in raw form that "
                "cannot be put in functional form, in the body of a conditional or loop"
            )
        return nodes


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
