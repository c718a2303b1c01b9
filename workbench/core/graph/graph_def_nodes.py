"""The nodes of a GraphDef by name, checked before anything is made of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from workbench.core.graph.attributes import node_attributes

_MERGING = ("Merge", "RefMerge")
_TURNING = ("NextIteration", "RefNextIteration")


def split_reference(reference: str) -> tuple[str, int]:
    """The node and the output that an input of a NodeDef names: "a:1", "a", "^a"."""
    if reference.startswith("^"):
        return reference[1:], -1
    name, colon, index = reference.rpartition(":")
    return (name, int(index)) if colon and index.isdigit() else (reference, 0)


class Nodes:
    """The nodes of a GraphDef by name, checked before anything is added."""

    def __init__(self, definitions: Iterable[Any]) -> None:
        self.by_name: dict[str, Any] = {}
        for node in definitions:
            if node.name in self.by_name:
                raise ValueError(f"Duplicate name {node.name!r} in GraphDef.")
            self.by_name[node.name] = node
        self.highest_output = self._highest_outputs()

    def _highest_outputs(self) -> dict[str, int]:
        highest: dict[str, int] = {}
        for node in self.by_name.values():
            for reference in node.input:
                if not reference.startswith("^"):
                    source, index = split_reference(reference)
                    highest[source] = max(index, highest.get(source, 0))
        return highest

    def forget_scalar_placeholders(self) -> None:
        """Gives placeholders of shape () an unknown shape; the definitions given stay as they are.

        What has no attribute of a shape has an unknown one already.
        """
        for name, node in self.by_name.items():
            if node.op == "Placeholder" and "shape" in node.attr:
                shape = node.attr["shape"].shape
                if not shape.dim and not shape.unknown_rank:
                    self.by_name[name] = widened = type(node)()
                    widened.CopyFrom(node)
                    widened.attr["shape"].shape.unknown_rank = True

    def check(self, input_map: dict[str, Any], wanted: list[str] | None) -> None:
        """Raises ValueError where inputs, mapped names or returned names do not exist."""
        unused = {k.removesuffix(":0") for k in input_map}
        for node in self.by_name.values():
            for reference in node.input:
                unused.discard(reference.removesuffix(":0"))
                unused.discard(reference.removeprefix("^"))
                source = split_reference(reference)[0]
                if source not in self.by_name and reference.removesuffix(":0") not in {
                    k.removesuffix(":0") for k in input_map
                }:
                    if ":" in source:
                        raise ValueError(f"Cannot convert {reference!r} to a tensor name.")
                    kind = "Control input" if reference.startswith("^") else "Input tensor"
                    raise ValueError(
                        f"graph_def is invalid at node {node.name!r}: {kind} {reference!r} "
                        "not found in graph_def.."
                    )
            self._check_groups(node)
        unused = {k for k in unused if not self._may_give(k)}
        unknown = sorted(k for k in input_map if k.removesuffix(":0") in unused)
        if unknown:
            raise ValueError(
                f"Attempted to map inputs that were not found in graph_def: [{', '.join(unknown)}]"
            )
        for element in wanted or ():
            if split_reference(element)[0] not in self.by_name:
                near = difflib.get_close_matches(element, self.by_name, n=3)
                hint = f" The nearest names are: {', '.join(near)}." if near else ""
                raise ValueError(
                    f"Requested return_element {element!r} not found in graph_def.{hint}"
                )

    def _may_give(self, reference: str) -> bool:
        """Whether there is a node that has such an output, as far as it is known."""
        from workbench.core.ops import registry

        name, index = split_reference(reference)
        node = self.by_name.get(name)
        declaration = registry.lookup(node.op) if node is not None else None
        if node is None or declaration is None:
            return node is not None
        try:
            types = declaration.schema.output_types(node_attributes(node, declaration.schema))
        except KeyError:
            # It lacks what says how many it has, and is refused when it is made.
            return True
        return index < len(types)

    def _check_groups(self, node: Any) -> None:
        """Raises ValueError where a node is to be beside one that is not there."""
        groups = node.attr["_class"].list.s if "_class" in node.attr else ()
        for group in groups:
            name = group.decode().removeprefix("loc:@")
            if group.startswith(b"loc:@") and name not in self.by_name:
                raise ValueError(
                    f"Specified colocation to an op that does not exist during import: {name} in "
                    f"{node.name}"
                )

    def ordered(self) -> list[Any]:
        """The nodes, each after its inputs; the edges that close loops are left out."""
        order: list[Any] = []
        state: dict[str, int] = {}
        for start in self.by_name:
            stack = [(start, False)]
            while stack:
                current, finished = stack.pop()
                if finished:
                    if state[current] != 2:
                        state[current] = 2
                        order.append(self.by_name[current])
                    continue
                if state.get(current):
                    continue
                state[current] = 1
                stack.append((current, True))
                node = self.by_name[current]
                for reference in reversed(node.input):
                    source = split_reference(reference)[0]
                    if source in self.by_name and not state.get(source):
                        if self.closes_loop(node, source):
                            continue
                        stack.append((source, False))
        return order

    def closes_loop(self, node: Any, source: str) -> bool:
        """True for the edge from the end of a loop's body back to its beginning."""
        return node.op in _MERGING and self.by_name[source].op in _TURNING
