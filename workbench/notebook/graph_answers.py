"""What a view asks about graphs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workbench.core.graph.graph import Graph
from workbench.notebook.cells import followed_cells
from workbench.notebook.connection import Answer, Call, Connection
from workbench.notebook.node_details import node_details
from workbench.notebook.protocol import BAD_PARAMETERS, STALE, Refusal

if TYPE_CHECKING:
    from workbench.notebook.hub import Answers

#: Seconds between two notifications that a graph has grown.
_CHANGES_INTERVAL = 0.5


def graph_get(call: Call) -> Answer:
    """`graph.get`: the tables of a graph, which the view follows from then on."""
    name = call.params["graph"]
    graph = call.hub.graphs.find(name)
    version, message = call.hub.graph_cache.message(graph)
    call.connection.follow(("graph", name), GraphFeed(call.connection, name, graph, version))
    header = {"graph": name, "version": version, **message.header, "against": None}
    return Answer(header, message.buffers)


def graph_node(call: Call) -> Answer:
    """`graph.node`: everything about one operation."""
    graph = call.hub.graphs.find(call.params["graph"])
    version = call.params["version"]
    if version is not None and version != call.hub.graphs.version(graph):
        raise Refusal(STALE, "the graph has changed since: get it again")
    operations = graph.get_operations()
    node = call.params["node"]
    if node >= len(operations):
        raise Refusal(
            BAD_PARAMETERS, f"the graph has {len(operations)} operations, none with index {node}"
        )
    return Answer(node_details(operations[node], followed_cells()))


class GraphFeed:
    """Tells a view that a graph it shows has changed."""

    def __init__(self, connection: Connection, name: str, graph: Graph, version: int) -> None:
        self._connection = connection
        self._name = name
        self._version = version
        self._state = (id(graph), graph.version, graph.changes)
        self._due = 0.0

    def poll(self) -> None:
        """Sends `graph.changed` when the graph is another than the one last told of."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _CHANGES_INTERVAL
        graphs = self._connection.hub.graphs
        try:
            graph = graphs.find(self._name)
        except Refusal:  # the user let go of it: the view keeps what it has
            self._connection.unfollow(("graph", self._name))
            return
        state = (id(graph), graph.version, graph.changes)
        if state == self._state:
            return
        self._state = state
        self._connection.notify(
            "graph.changed",
            {
                "graph": self._name,
                "version": graphs.version(graph),
                "operations": graph.version,
            },
        )

    def close(self) -> None:
        """A graph does not know who looks at it."""


ANSWERS: Answers = {"graph.get": graph_get, "graph.node": graph_node}
