"""The functions of a GraphDef by name, checked before any of them is put anywhere.

Each is put in place wherever it is called, so a small library could make endless graphs: what calls
itself is refused, and so is what would have too many nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

#: So many nodes may functions have together, each counted as often as it is called.
_MOST_NODES = 1_000_000
#: So deep may functions call functions.
_MOST_LEVELS = 100


class Library:
    """The functions of one GraphDef. ValueError where two have one name."""

    def __init__(self, library: Any) -> None:
        self._by_name: dict[str, Any] = {}
        #: How many nodes each function has once all that it calls is in place.
        self._sizes: dict[str, int] = {}
        for definition in library.function:
            name = definition.signature.name
            if name in self._by_name:
                raise ValueError(f"The library has two functions {name!r}")
            self._by_name[name] = definition

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def get(self, name: str) -> Any:
        """The FunctionDef of that name, or None."""
        return self._by_name.get(name)

    @property
    def functions(self) -> dict[str, Any]:
        """The FunctionDefs by name; more may be added."""
        return self._by_name

    def callable(self, name: str, given: int) -> Any:
        """The FunctionDef of that name, to be put in place of a call with `given` arguments.

        ValueError where it cannot be.
        """
        definition = self._by_name.get(name)
        if definition is None:
            raise ValueError(
                f"Function {name!r} is not defined: the library of the graph_def has "
                + (", ".join(sorted(self._by_name)[:8]) or "no functions")
            )
        self._size(name, [])
        expected = len(definition.signature.input_arg)
        if expected != given:
            raise ValueError(
                f"Function {name!r} takes {expected} arguments, but is called with {given}"
            )
        return definition

    def closure(self, names: Iterable[str]) -> list[Any]:
        """The functions of these names that there are, and all that they call."""
        found: dict[str, Any] = {}
        waiting = list(names)[::-1]
        while waiting:
            name = waiting.pop()
            definition = self._by_name.get(name)
            if definition is not None and name not in found:
                found[name] = definition
                waiting.extend(n for node in definition.node_def for n in called_names(node))
        return list(found.values())

    def _size(self, name: str, path: Sequence[str]) -> int:
        known = self._sizes.get(name)
        if known is not None:
            return known
        if name in path:
            names = " -> ".join([*path[path.index(name) :], name])
            raise ValueError(f"Function {name!r} calls itself: {names}")
        if len(path) >= _MOST_LEVELS:
            raise ValueError(
                f"The functions of the graph_def call each other {_MOST_LEVELS} levels deep"
            )
        definition = self._by_name[name]
        size = len(definition.node_def)
        inside = [*path, name]
        for node in definition.node_def:
            for called in called_names(node):
                if called in self._by_name:
                    size += self._size(called, inside)
        if size > _MOST_NODES:
            raise ValueError(
                "The functions of the graph_def call each other so often that they have more than "
                f"{_MOST_NODES:,} nodes"
            )
        self._sizes[name] = size
        return size


def called_names(node: Any) -> list[str]:
    """The names that a node may call a function by: its type, and its attributes."""
    names = [node.op]
    for value in node.attr.values():
        names.append(value.func.name)
        names.extend(f.name for f in value.list.func)
    return names
