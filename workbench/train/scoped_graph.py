"""Parts of graphs: a scope taken out of a graph definition, and names put under another scope."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

#: Marks inputs of an exported scope that come from outside of it.
UNBOUND_PREFIX = "$unbound_inputs_"

_HEAD = re.compile(r"^(\^|loc:@|)(.*)$", re.DOTALL)


def strip_scope(name: str, scope: str | None) -> str:
    """A node's name, an input or a colocation group, without the scope in front.

    >>> strip_scope("^tower/train", "tower"), strip_scope("loc:@tower/w", "tower")
    ('^train', 'loc:@w')
    """
    if not scope:
        return name
    match = _HEAD.match(name)
    assert match is not None
    return match[1] + match[2].removeprefix(scope.rstrip("/") + "/")


def prepend_scope(name: str, scope: str | None) -> str:
    """A node's name, an input or a colocation group, with a scope in front.

    >>> prepend_scope("^train", "tower")
    '^tower/train'
    """
    if not scope:
        return name
    match = _HEAD.match(name)
    assert match is not None
    return f"{match[1]}{scope.rstrip('/')}/{match[2]}"


def is_in_scope(name: str, scope: str | None) -> bool:
    """True where a node's name, an input or a colocation group lies in the scope."""
    return not scope or name.removeprefix("loc:@").lstrip("^").startswith(scope.rstrip("/") + "/")


def scoped_graph_def(
    graph_def: Any,
    scope: str | None,
    clear_devices: bool = False,
    excluded: Collection[str] = (),
) -> tuple[Any, list[str]]:
    """A copy of a graph definition, or of a scope of it, and the names of its missing inputs.

    Scopes in `excluded` are left out.
    """
    result = type(graph_def)()
    if graph_def.HasField("versions"):
        result.versions.CopyFrom(graph_def.versions)
    if graph_def.HasField("library"):
        result.library.CopyFrom(graph_def.library)
    unbound: list[str] = []
    for node in graph_def.node:
        if not is_in_scope(node.name, scope):
            continue
        if any(is_in_scope(node.name, each) for each in excluded):
            continue
        copy = result.node.add()
        copy.CopyFrom(node)
        if clear_devices:
            copy.device = ""
        if scope:
            _take_out(copy, scope, unbound)
    return result, list(dict.fromkeys(unbound))


def _take_out(node: Any, scope: str, unbound: list[str]) -> None:
    node.name = strip_scope(node.name, scope)
    for position, name in enumerate(node.input):
        if is_in_scope(name, scope):
            node.input[position] = strip_scope(name, scope)
        else:
            control = "^" if name.startswith("^") else ""
            node.input[position] = f"{control}{UNBOUND_PREFIX}{name.lstrip('^')}"
            unbound.append(node.input[position])
    if "_class" in node.attr:
        groups = [group.decode() for group in node.attr["_class"].list.s]
        kept = [strip_scope(group, scope).encode() for group in groups if is_in_scope(group, scope)]
        del node.attr["_class"].list.s[:]
        node.attr["_class"].list.s.extend(kept)
        if not kept:
            del node.attr["_class"]
