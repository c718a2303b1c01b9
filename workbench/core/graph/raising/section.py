"""A part of a graph whose nodes are changed: a GraphDef, or what becomes a function."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workbench.core.graph.attributes import FunctionName, node_attributes, to_attr_value
from workbench.core.graph.dtypes import DType
from workbench.core.graph.graph_def_nodes import split_reference


class NotRaisableError(Exception):
    """Raw control flow that has no functional form, or none that is known here: it stays raw."""


class Section:
    """Nodes by name, and the names that are taken in the whole graph.

    `arguments` are what inputs of nodes may name beside nodes, with their types.
    """

    def __init__(
        self,
        nodes: Iterable[Any],
        taken: set[str],
        arguments: Iterable[tuple[str, DType]] = (),
    ) -> None:
        self.nodes: dict[str, Any] = {n.name: n for n in nodes}
        self.taken = taken
        self.arguments = dict(arguments)

    def add(
        self,
        op: str,
        name: str,
        inputs: Sequence[str],
        controls: Iterable[str] = (),
        device: str = "",
        **attrs: Any,
    ) -> str:
        """Adds a node and gives its name."""
        from workbench.core.protos import NodeDef

        node = NodeDef(name=name, op=op, device=device)
        node.input.extend(inputs)
        node.input.extend(f"^{c}" for c in dict.fromkeys(controls))
        for key, value in attrs.items():
            node.attr[key].CopyFrom(to_attr_value(value))
        self.nodes[name] = node
        return name

    def free(self, name: str) -> str:
        """A name that nothing has."""
        found, count = name, 0
        while found in self.taken:
            count += 1
            found = f"{name}_{count}"
        self.taken.add(found)
        return found

    def dtype(self, reference: str) -> DType:
        """The type of a tensor; NotRaisableError where it is not known."""
        name, index = split_reference(reference)
        node = self.nodes.get(name)
        if node is None:
            return self.arguments[name]
        types = declaration_of(node).schema.output_types(attributes_of(node))
        found: DType = types[index].base_dtype
        return found

    def sources(self, node: Any) -> Iterator[str]:
        """The names of the nodes that a node has inputs from; arguments left out."""
        for reference in node.input:
            name = split_reference(reference)[0]
            if name in self.nodes:
                yield name

    def consumers(self) -> dict[str, list[str]]:
        """For each node the names of those that have inputs from it."""
        found: dict[str, list[str]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for source in self.sources(node):
                found[source].append(node.name)
        return found

    def ordered(self) -> list[Any]:
        """The nodes, each after those it has inputs from; NotRaisableError where some go round."""
        missing = {n.name: len(list(self.sources(n))) for n in self.nodes.values()}
        consumers = self.consumers()
        ready = deque(name for name, count in missing.items() if not count)
        order: list[Any] = []
        while ready:
            name = ready.popleft()
            order.append(self.nodes[name])
            for consumer in consumers[name]:
                missing[consumer] -= 1
                if not missing[consumer]:
                    ready.append(consumer)
        if len(order) < len(self.nodes):
            raise NotRaisableError("nodes go round in a circle")
        return order


def data_of(node: Any) -> list[str]:
    """The inputs of a node that are tensors."""
    return [r for r in node.input if not r.startswith("^")]


def controls_of(node: Any) -> list[str]:
    """The names of the nodes that a node waits for."""
    return [r[1:] for r in node.input if r.startswith("^")]


def with_inputs(node: Any, inputs: Iterable[str], controls: Iterable[str]) -> Any:
    """A copy of a node with other inputs."""
    copy = type(node)()
    copy.CopyFrom(node)
    del copy.input[:]
    copy.input.extend(inputs)
    copy.input.extend(f"^{c}" for c in dict.fromkeys(controls))
    copy.attr.pop("_class", None)
    return copy


def is_stateful(node: Any, library: Mapping[str, Any]) -> bool:
    """True where a node, or a function that it calls, does more than give results."""
    named = [v.func.name for v in node.attr.values() if v.func.name]
    if named and all(name in library for name in named):
        return any(library[name].signature.is_stateful for name in named)
    stateful: bool = declaration_of(node).stateful
    return stateful


def declaration_of(node: Any) -> Any:
    """The declaration of a node's type; NotRaisableError without one."""
    from workbench.core.ops import registry

    declaration = registry.lookup(node.op)
    if declaration is None:
        raise NotRaisableError(f"{node.op!r} is not declared")
    return declaration


def attributes_of(node: Any) -> dict[str, Any]:
    """The attributes of a node, with the defaults of those that it does not give."""
    return node_attributes(node, declaration_of(node).schema)


def write_function(
    name: str,
    arguments: Sequence[tuple[str, DType]],
    nodes: Sequence[Any],
    results: Sequence[tuple[str, DType]],
    library: dict[str, Any],
) -> FunctionName:
    """Adds a function to a library: its arguments and results with their types."""
    from workbench.core.protos import FunctionDef

    definition = FunctionDef()
    definition.signature.name = name
    for argument, dtype in arguments:
        entry = definition.signature.input_arg.add()
        entry.name, entry.type = argument, dtype.as_datatype_enum
    by_name = {n.name: n for n in nodes}
    for node in nodes:
        inputs = [_function_reference(r, by_name) for r in data_of(node)]
        definition.node_def.add().CopyFrom(with_inputs(node, inputs, controls_of(node)))
        definition.signature.is_stateful |= is_stateful(node, library)
    for index, (reference, dtype) in enumerate(results):
        entry = definition.signature.output_arg.add()
        entry.name, entry.type = f"output_{index}", dtype.as_datatype_enum
        definition.ret[entry.name] = _function_reference(reference, by_name)
    library[name] = definition
    return FunctionName(name)


def _function_reference(reference: str, nodes: Mapping[str, Any]) -> str:
    """An input as functions have it: with the name of the output, and the place in that."""
    name, index = split_reference(reference)
    node = nodes.get(name)
    if node is None:
        return reference
    start = 0
    for output, count in declaration_of(node).schema.output_counts(attributes_of(node)):
        if index < start + count:
            return f"{name}:{output}:{index - start}"
        start += count
    raise NotRaisableError(f"{name!r} has no output {index}")
