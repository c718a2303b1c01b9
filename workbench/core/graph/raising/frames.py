"""Which frame each node of raw loops is in."""

from __future__ import annotations

from collections import deque
from typing import Any

from workbench.core.graph.graph_def_nodes import split_reference
from workbench.core.graph.raising.section import NotRaisableError, Section

ENTERING = frozenset({"Enter", "RefEnter"})
LEAVING = frozenset({"Exit", "RefExit"})
TURNING = frozenset({"NextIteration", "RefNextIteration"})
MERGING = frozenset({"Merge", "RefMerge"})
SWITCHING = frozenset({"Switch", "RefSwitch"})

#: The names of the frames around a node, from the outside in.
Path = tuple[str, ...]


def frames_of(section: Section) -> dict[str, Path]:
    """The frame of each node; NotRaisableError where some node is in none."""
    nodes = section.nodes
    consumers = section.consumers()
    missing = {
        n.name: sum(not _closes(section, n, source) for source in section.sources(n))
        for n in nodes.values()
    }
    frames: dict[str, Path] = {}
    ready = deque(name for name, count in missing.items() if not count)
    while ready:
        name = ready.popleft()
        node = nodes[name]
        path = frames.setdefault(name, ())
        leads_to = _leads_to(node, path)
        for consumer in consumers[name]:
            if frames.setdefault(consumer, leads_to) != leads_to:
                raise NotRaisableError(f"{consumer!r} has inputs from different frames")
            if not _closes(section, nodes[consumer], name):
                missing[consumer] -= 1
                if not missing[consumer]:
                    ready.append(consumer)
    if any(missing.values()):
        raise NotRaisableError("nodes go round in a circle")
    return frames


def _closes(section: Section, node: Any, source: str) -> bool:
    return node.op in MERGING and section.nodes[source].op in TURNING


def _leads_to(node: Any, path: Path) -> Path:
    if node.op in ENTERING:
        return (*path, node.attr["frame_name"].s.decode())
    if node.op in LEAVING:
        if not path:
            raise NotRaisableError(f"{node.name!r} leaves a frame that nothing entered")
        return path[:-1]
    return path


def source_of(reference: str) -> str:
    """The node that an input comes from."""
    return split_reference(reference)[0]
