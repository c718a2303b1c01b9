"""The nodes of a function of a library, in the form that those of GraphDefs have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.graph.attributes import node_attributes, to_attr_value
from workbench.core.graph.library import Library


class FunctionNodes:
    """The nodes of a function in the form that those of GraphDefs have.

    Inside functions an input names a node, one of its outputs, and the place in that output.
    """

    def __init__(self, definition: Any, attrs: Mapping[str, Any], library: Library) -> None:
        self._name = definition.signature.name
        self._attrs = attrs
        self._library = library
        self.argument_names = [a.name for a in definition.signature.input_arg]
        self._arguments = set(self.argument_names)
        self._given = {n.name: n for n in definition.node_def}
        self.nodes = [self._node(n) for n in definition.node_def]
        self.results: list[str] = []
        for output in definition.signature.output_arg:
            if output.name not in definition.ret:
                raise ValueError(f"Function {self._name!r} does not say what {output.name!r} is")
            self.results.append(self._reference(definition.ret[output.name], "a result"))
        #: Nodes that have run when the function is over, whether their results are used or not.
        self.effects = [n for n in definition.control_ret.values() if n in self._given]
        if not self.effects and definition.signature.is_stateful:
            self.effects = [n.name for n in self.nodes if self._is_stateful(n)]

    def _node(self, given: Any) -> Any:
        node = type(given)()
        node.CopyFrom(given)
        # Colocation is within the function, whose nodes get other names, or with what is not there.
        node.attr.pop("_class", None)
        del node.input[:]
        for reference in given.input:
            if not reference.startswith("^"):
                node.input.append(self._reference(reference, f"node {given.name!r}"))
            elif reference[1:] in self._given:
                node.input.append(reference)
            elif reference[1:] not in self._arguments:
                raise self._lost(reference, f"node {given.name!r}")
        for key, value in given.attr.items():
            if value.WhichOneof("value") == "placeholder":
                if value.placeholder not in self._attrs:
                    raise ValueError(
                        f"Function {self._name!r} is called without its attribute "
                        f"{value.placeholder!r}"
                    )
                node.attr[key].CopyFrom(to_attr_value(self._attrs[value.placeholder]))
        return node

    def _reference(self, reference: str, user: str) -> str:
        if reference in self._arguments:
            return reference
        name, *place = reference.split(":")
        if name in self._arguments and place in ([], ["0"]):
            return name
        node = self._given.get(name)
        if node is None or len(place) > 2 or (len(place) == 2 and not place[1].isdigit()):
            raise self._lost(reference, user)
        if not place:
            return name
        start = self._first(node, place[0])
        index = start + (int(place[1]) if len(place) == 2 else 0)
        return f"{name}:{index}" if index else name

    def _lost(self, reference: str, user: str) -> ValueError:
        return ValueError(
            f"Function {self._name!r} is invalid: {user} needs {reference!r}, which is neither an "
            "argument nor an output of one of its nodes"
        )

    def _first(self, node: Any, output: str) -> int:
        """The number of a node's first tensor that belongs to an output."""
        from workbench.core.ops import registry

        called = self._library.get(node.op)
        if called is not None:
            counts = [(a.name, 1) for a in called.signature.output_arg]
        else:
            declaration = registry.lookup(node.op)
            if declaration is None:
                return 0
            schema = declaration.schema
            counts = schema.output_counts(node_attributes(node, schema))
        start = 0
        for name, count in counts:
            if name == output:
                return start
            start += count
        raise self._lost(f"{node.name}:{output}", f"node {node.name!r}")

    def _is_stateful(self, node: Any) -> bool:
        from workbench.core.ops import registry

        called = self._library.get(node.op)
        if called is not None:
            return bool(called.signature.is_stateful)
        declaration = registry.lookup(node.op)
        return declaration is not None and declaration.stateful
