"""Encoded graphs, kept until the graph changes."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.graph.graph import Graph
from workbench.notebook.graph_message import GraphMessage, encode

if TYPE_CHECKING:
    from workbench.notebook.shown import ShownGraphs


class GraphCache:
    """The newest encoding of each graph, shared by all views."""

    def __init__(self, graphs: ShownGraphs) -> None:
        self._graphs = graphs
        self._lock = threading.Lock()
        self._messages: weakref.WeakKeyDictionary[Graph, tuple[int, GraphMessage]] = (
            weakref.WeakKeyDictionary()
        )

    def message(self, graph: Graph) -> tuple[int, GraphMessage]:
        """The version of `graph` and its tables at that version."""
        with self._lock:
            version = self._graphs.version(graph)
            known = self._messages.get(graph)
            if known is None or known[0] != version:
                # An operation added meanwhile makes the version grow, so it is not missed for long.
                operations = graph.get_operations()
                known = (version, encode(operations, np.zeros(len(operations), np.uint8)))
                self._messages[graph] = known
            return known
