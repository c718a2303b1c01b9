"""Attributes that say what would hold without them: left out, older programs can read the graph."""

from __future__ import annotations

from typing import Any

from workbench.core.ops.op_def import op_def


def strip_default_attributes(meta_graph_def: Any) -> None:
    """Removes from all nodes, those of functions too, the attributes that have default values."""
    graph = meta_graph_def.graph_def
    for node in graph.node:
        _strip(node)
    for function in graph.library.function:
        for node in function.node_def:
            _strip(node)
    meta_graph_def.meta_info_def.stripped_default_attrs = True


def _strip(node: Any) -> None:
    declared = op_def(node.op)
    if declared is None:
        return
    for attribute in declared.attr:
        if (
            attribute.HasField("default_value")
            and attribute.name in node.attr
            and node.attr[attribute.name] == attribute.default_value
        ):
            del node.attr[attribute.name]
