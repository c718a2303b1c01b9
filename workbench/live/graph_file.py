"""The graph of a run, from its folder."""

from __future__ import annotations

from workbench.core.errors import DataLossError
from workbench.core.files import read_bytes
from workbench.core.graph.graph import Graph
from workbench.core.graph.importer import import_graph_def
from workbench.core.ops.data.known import why_it_stays
from workbench.core.protos.reading import parse_message
from workbench.live.folder import RunFolder


def stored_graph(place: RunFolder) -> Graph:
    """The graph in a run's folder, to look at.

    It can be run where `missing_parts` finds nothing.

    Raises:
      NotFoundError: the run ended before its graph was written.
      DataLossError: the file is damaged.
    """
    from workbench.core.protos import GraphDef

    path = place.file("graph.pb")
    definition = parse_message(GraphDef, read_bytes(path), path)
    if not definition.node:
        raise DataLossError(None, None, f"{path}: the graph is empty or damaged: pass graph=")
    graph = Graph()
    with graph.as_default():
        import_graph_def(definition, name="")
    return graph


def missing_parts(graph: Graph) -> str | None:
    """What only the program that made a graph from a file can give; None where that is nothing."""
    for op in graph.get_operations():
        what = None
        if op.type in ("PyFunc", "PyFuncStateless"):
            what = "a Python function"
        elif "dataset" in op.attrs:
            what = why_it_stays(op)
        if what is not None:
            return f"{what} ({op.name!r}, of type {op.type})"
    return None
