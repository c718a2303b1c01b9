"""The functions that a part's operations call, out of all that a graph has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from workbench.core.graph.function_library import FunctionNames, function_def
from workbench.core.graph.graph import Graph


class Functions:
    """The functions of a graph: bodies of conditionals and loops, and those of imported graphs."""

    def __init__(self, graph: Graph) -> None:
        self.names = FunctionNames(graph)
        self._bodies = dict(self.names.bodies())
        self._imported = graph._functions
        self._written: dict[str, Any] = {}

    def add_called(self, definition: Any) -> None:
        """Adds to a GraphDef's library what its nodes call, and what that calls."""
        done: set[str] = set()
        waiting = list(_called(definition.node))
        while waiting:
            name = waiting.pop()
            found = None if name in done else self._definition(name)
            done.add(name)
            if found is not None:
                definition.library.function.add().CopyFrom(found)
                waiting.extend(_called(found.node_def))

    def _definition(self, name: str) -> Any:
        if name not in self._written:
            body = self._bodies.get(name)
            self._written[name] = (
                self._imported.get(name) if body is None else function_def(name, body, self.names)
            )
        return self._written[name]


def _called(nodes: Iterable[Any]) -> Iterator[str]:
    """The names of what nodes call: a node's type may be that of a function, too."""
    for node in nodes:
        yield node.op
        for value in node.attr.values():
            kind = value.WhichOneof("value")
            if kind == "func":
                yield value.func.name
            elif kind == "list":
                yield from (function.name for function in value.list.func)
