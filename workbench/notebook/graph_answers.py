"""What a view asks about graphs."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any

from workbench.core.graph.graph import Graph
from workbench.core.graph.nested import NestedGraph
from workbench.notebook.cells import followed_cells
from workbench.notebook.connection import Answer, Call, Connection
from workbench.notebook.graph_places import places_state
from workbench.notebook.node_details import description, node_details
from workbench.notebook.protocol import BAD_PARAMETERS, STALE, Refusal

if TYPE_CHECKING:
    from workbench.notebook.hub import Answers

#: Seconds between two notifications that a graph has grown.
_CHANGES_INTERVAL = 0.5
#: A view has no way to say that it shows a graph no more: only the newest are followed.
_MAXIMUM_FOLLOWED = 8


def graph_get(call: Call) -> Answer:
    """`graph.get`: the tables of a graph, which the view follows from then on."""
    name, against = call.params["graph"], call.params["against"]
    graph = call.hub.graphs.find(name)
    other = None if against is None else call.hub.graphs.find(against)
    # Followed before it is encoded: what changes in between is told rather than missed.
    _follow(call.connection, GraphFeed(call.connection, name, against))
    encoded = call.hub.graph_cache.encoded(graph, other)
    header = {
        "graph": name,
        "version": encoded.version,
        **encoded.message.header,
        "against": against,
    }
    return Answer(header, encoded.message.buffers)


def graph_node(call: Call) -> Answer:
    """`graph.node`: everything about one operation of a graph, as this view got it last."""
    name, node, version = (call.params[key] for key in ("graph", "node", "version"))
    graphs = call.hub.graphs
    graph = graphs.find(name)
    feed = _newest_feed(call.connection, name, call.params["against"])
    against = feed.against if feed is not None else call.params["against"]
    replaced = feed is not None and not feed.follows(graph)
    if replaced or (version is not None and version != graphs.version(graph)):
        raise Refusal(STALE, f"the graph {name} has changed since: get it again")
    other = None if against is None else graphs.find(against)
    encoded = call.hub.graph_cache.encoded(graph, other)
    # What the cache keeps must not keep the graph.
    nested = NestedGraph(graph)
    operations = nested.operations if encoded.found is None else encoded.found.operations
    count = min(len(operations), len(encoded.roles))
    if node >= count:
        raise Refusal(BAD_PARAMETERS, f"{name} has {count} operations, none with index {node}")
    details = node_details(operations[node], followed_cells(), int(encoded.roles[node]), nested)
    places = encoded.places
    details["runs_on"] = (
        None if places is None else {"device": places.devices[node], "why": places.reasons[node]}
    )
    if encoded.found is not None:
        before = encoded.found.was[node]
        details["was"] = None if before is None else {**description(before), "name": before.name}
        details["changes"] = list(encoded.found.changes.get(node, ()))
    return Answer(details)


def _follow(connection: Connection, feed: GraphFeed) -> None:
    connection.follow(feed.key, feed)
    for key in connection.followed("graph")[:-_MAXIMUM_FOLLOWED]:
        connection.unfollow(key)


def _newest_feed(connection: Connection, name: str, against: str | None) -> GraphFeed | None:
    """What the view got last of that name, laid over `against` where that is given."""
    for key in reversed(connection.followed("graph")):
        feed = connection.following(key)
        if isinstance(feed, GraphFeed) and feed.name == name and against in (None, feed.against):
            return feed
    return None


class GraphFeed:
    """Tells a view that a graph it shows has changed."""

    def __init__(self, connection: Connection, name: str, against: str | None) -> None:
        self._connection = connection
        self.name = name
        #: The name of the graph that it is laid over.
        self.against = against
        self._graph = weakref.ref(connection.hub.graphs.find(name))
        self._state = self._newest()
        self._due = 0.0

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from the view's other feeds."""
        return ("graph", self.name, self.against or "")

    def follows(self, graph: Graph) -> bool:
        """False when the name has gone to another graph since."""
        return self._graph() is graph

    def poll(self) -> None:
        """Sends `graph.changed` when the graph is another than the one last told of."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _CHANGES_INTERVAL
        try:
            state = self._newest()
        except Refusal:  # the user let go of it: the view keeps what it has
            self._connection.unfollow(self.key)
            return
        if state == self._state:
            return
        self._state = state
        graphs = self._connection.hub.graphs
        graph = graphs.find(self.name)
        self._connection.notify(
            "graph.changed",
            {
                "graph": self.name,
                "version": graphs.version(graph),
                "operations": graph.version,
            },
        )

    def close(self) -> None:
        """A graph does not know who looks at it."""

    def _newest(self) -> tuple[Any, ...]:
        state: list[Any] = []
        for name in (self.name, self.against):
            if name is not None:
                graph = self._connection.hub.graphs.find(name)
                state += [id(graph), graph.version, graph.changes, *places_state(graph)]
        return tuple(state)


ANSWERS: Answers = {"graph.get": graph_get, "graph.node": graph_node}
