"""Raw control flow of a GraphDef in functional form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workbench.core.graph.dtypes import DType
from workbench.core.graph.raising.conditionals import raise_conditionals
from workbench.core.graph.raising.frames import ENTERING, MERGING, SWITCHING
from workbench.core.graph.raising.loops import raise_loops
from workbench.core.graph.raising.section import NotRaisableError, Section


def has_raw_control_flow(nodes: Iterable[Any]) -> bool:
    """True where nodes are parts of frames or branches in raw form."""
    raw = ENTERING | MERGING | SWITCHING
    return any(node.op in raw for node in nodes)


def raise_control_flow(graph_def: Any) -> Any:
    """A GraphDef with While and If in the place of frames, Switch and Merge, where that can be.

    It gives the same results; then gradients flow through what it has, and loops are compiled. What
    leaves a loop or a conditional keeps its name, what was inside goes into functions. Loops and
    conditionals of unusual form stay raw.

    >>> import workbench as tf
    >>> with tf.Graph().as_default() as graph:
    ...     x = tf.placeholder(tf.float32, [], name="x")
    ...     y = tf.while_loop(lambda v: v < 10.0, lambda v: v * x, [x], name="loop")
    ...     raw = tf.graph_util.lower_control_flow(graph.as_graph_def())
    >>> again = tf.graph_util.raise_control_flow(raw)
    >>> sorted({node.op for node in again.node} & {"Enter", "Merge", "Switch", "StatelessWhile"})
    ['StatelessWhile']
    """
    if not hasattr(graph_def, "node") or not hasattr(graph_def, "library"):
        raise TypeError(f"graph_def must be a GraphDef proto, got {type(graph_def).__name__}")
    result = type(graph_def)()
    result.CopyFrom(graph_def)
    if not has_raw_control_flow(graph_def.node):
        return result
    library = {f.signature.name: f for f in graph_def.library.function}
    taken = {*(node.name for node in graph_def.node), *library}
    section = Section(result.node, taken)
    if not _raise_section(section, library, ()):
        untouched = type(graph_def)()
        untouched.CopyFrom(graph_def)
        return untouched
    made = type(graph_def)()
    made.versions.CopyFrom(graph_def.versions)
    for node in section.nodes.values():
        copy = made.node.add()
        copy.CopyFrom(node)
        _forget_lost_places(copy, section)
    for definition in library.values():
        made.library.function.add().CopyFrom(definition)
    return made


def raise_nodes(
    nodes: Sequence[Any],
    arguments: Sequence[tuple[str, DType]],
    results: Sequence[str],
    library: dict[str, Any],
) -> list[Any]:
    """The nodes of a function in functional form, where they have one.

    `arguments` are its arguments with their types, `results` the names of nodes that are to stay;
    the functions that come up are added to the library.
    """
    copies = []
    for node in nodes:
        copy = type(node)()
        copy.CopyFrom(node)
        copies.append(copy)
    section = Section(copies, {*library, *(node.name for node in nodes)}, arguments)
    return list(section.nodes.values()) if _raise_section(section, library, results) else [*nodes]


def _raise_section(section: Section, library: dict[str, Any], results: Sequence[str]) -> bool:
    """Raises what is in a section; False where that is not well-formed, which others tell."""
    try:
        raise_loops(section, library)
        raise_conditionals(section, library, results)
    except (NotRaisableError, KeyError, ValueError, IndexError):
        return False
    return True


def _forget_lost_places(node: Any, section: Section) -> None:
    """A node has its place no more beside what is inside of a function now."""
    if "_class" not in node.attr:
        return
    groups = [g for g in node.attr["_class"].list.s if _is_there(g.decode(), section)]
    if groups:
        node.attr["_class"].list.s[:] = groups
    else:
        del node.attr["_class"]


def _is_there(group: str, section: Section) -> bool:
    return not group.startswith("loc:@") or group.removeprefix("loc:@") in section.nodes
