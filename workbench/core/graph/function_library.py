"""The bodies of conditionals and loops as functions of a GraphDef, as TensorFlow 2 writes them.

An operation's attribute then holds the function's name; the function has its nodes, arguments and
results. Only what the results need is written: nothing else of a body ever runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from workbench.core.graph.attributes import FunctionName, to_attr_value
from workbench.core.graph.body import BODY_ATTRIBUTES, Body
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor

#: Marks functions whose nodes have names that nothing else in the graph has.
UNIQUE_NAMES = "_unique_names"
_NO_ARGUMENT_NAME = re.compile(r"[^a-z0-9_]")
_NO_FUNCTION_NAME = re.compile(r"[^A-Za-z0-9_]")


class Function(Protocol):
    """What a FunctionDef is written of: tensors of one graph."""

    @property
    def arguments(self) -> list[Tensor]:
        """What stands for what it is called with."""

    @property
    def results(self) -> list[Tensor]:
        """What it gives."""


class FunctionNames:
    """The names of the functions of a graph: one for each body, the same in every export."""

    def __init__(self, graph: Graph) -> None:
        self._names: dict[Body, str] = {}
        self._taken: set[str] = set(graph._functions)
        self._enter(graph.get_operations())

    def _enter(self, operations: Iterable[Operation]) -> None:
        for op in operations:
            for attribute in BODY_ATTRIBUTES.get(op.type, ()):
                body = op.attrs[attribute]
                name = stem = _NO_FUNCTION_NAME.sub("_", f"{op.name}_{attribute}")
                count = 0
                while name in self._taken:
                    count += 1
                    name = f"{stem}_{count}"
                self._taken.add(name)
                self._names[body] = name
                self._enter(body.graph.get_operations())

    def of(self, body: Body) -> FunctionName:
        """The value of the attribute that holds a body."""
        return FunctionName(self._names[body])

    def bodies(self) -> Iterable[tuple[str, Body]]:
        """All functions: their names and what they are made of."""
        return ((name, body) for body, name in self._names.items())


def write_library(library: Any, graph: Graph, names: FunctionNames | None) -> None:
    """Fills a FunctionDefLibrary: the bodies of a graph, and functions that came with an import."""
    for definition in graph._functions.values():
        library.function.add().CopyFrom(definition)
    for name, body in names.bodies() if names is not None else ():
        library.function.add().CopyFrom(function_def(name, body, names))


def write_bodies(graph: Graph) -> list[Any]:
    """The FunctionDefs of the bodies of a graph's conditionals and loops."""
    names = FunctionNames(graph)
    return [function_def(name, body, names) for name, body in names.bodies()]


def function_def(name: str, body: Function, names: FunctionNames | None = None) -> Any:
    """The FunctionDef of a body."""
    from workbench.core.protos import FunctionDef

    definition = FunctionDef()
    definition.signature.name = name
    definition.attr[UNIQUE_NAMES].b = True
    operations = _needed(body)
    arguments = _argument_names(body.arguments, {op.name for op in operations})
    for index, (tensor, argument) in enumerate(zip(body.arguments, arguments, strict=True)):
        entry = definition.signature.input_arg.add()
        entry.name = argument
        entry.type = tensor.dtype.base_dtype.as_datatype_enum
        shapes = to_attr_value([TensorShape.of(tensor.entries)], "list(shape)")
        definition.arg_attr[index].attr["_output_shapes"].CopyFrom(shapes)
    references = dict(zip(body.arguments, arguments, strict=True))
    for op in operations:
        definition.node_def.add().CopyFrom(_node(op, references, names))
        definition.signature.is_stateful |= _is_stateful(op)
    for index, tensor in enumerate(body.results):
        entry = definition.signature.output_arg.add()
        entry.name = f"output_{index}"
        entry.type = tensor.dtype.base_dtype.as_datatype_enum
        definition.ret[entry.name] = _reference(tensor, references)
    return definition


def _needed(body: Function) -> list[Operation]:
    from workbench.core.plan.reach import connected_operations

    given = {t.op for t in body.arguments}
    return [op for op in connected_operations(body.results, (), ()) if op not in given]


def _is_stateful(op: Operation) -> bool:
    from workbench.core.ops import registry

    declaration = registry.lookup(op.type)
    return declaration is not None and declaration.stateful


def _argument_names(arguments: Sequence[Tensor], taken: set[str]) -> list[str]:
    names: list[str] = []
    for index, tensor in enumerate(arguments):
        stem = _NO_ARGUMENT_NAME.sub("_", tensor.op.name.rsplit("/", 1)[-1].lower()).strip("_")
        name = stem if stem and stem[0].isalpha() else f"argument_{stem}".rstrip("_")
        if name in taken:
            name = f"{name}_argument_{index}"
        while name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
    return names


def _reference(tensor: Tensor, arguments: dict[Tensor, str]) -> str:
    """A tensor as functions name it: an argument, or a node, its output and the place in that."""
    argument = arguments.get(tensor)
    if argument is not None:
        return argument
    output, place = output_place(tensor.op, tensor.value_index)
    return f"{tensor.op.name}:{output}:{place}"


def output_place(op: Operation, index: int) -> tuple[str, int]:
    """The name of the output that a tensor belongs to, and its place in that."""
    from workbench.core.ops import registry

    declaration = registry.lookup(op.type)
    if declaration is None:
        return "output", index
    start = 0
    for name, count in declaration.schema.output_counts(op.attrs):
        if index < start + count:
            return name, index - start
        start += count
    raise ValueError(f"{op.type} {op.name!r} has no output {index} in its declaration")


def _node(op: Operation, arguments: dict[Tensor, str], names: FunctionNames | None) -> Any:
    from workbench.core.graph.graph_def import node_def

    node = node_def(op, names=names)
    del node.input[:]
    node.input.extend(_reference(t, arguments) for t in op.inputs)
    outside = {t.op for t in arguments}
    node.input.extend(f"^{c.name}" for c in op._control_inputs if c not in outside)
    # What is outside of a function has no place beside it.
    node.attr.pop("_class", None)
    return node
