"""Encoded graphs, kept until the graph changes."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.graph.difference import Difference, difference
from workbench.core.graph.graph import Graph
from workbench.core.graph.nested import NestedGraph
from workbench.core.graph.nested_roles import nested_roles
from workbench.core.graph.operation import Operation
from workbench.notebook.graph_message import GraphMessage, encode, encode_difference
from workbench.notebook.graph_places import Places, places_of, places_state

if TYPE_CHECKING:
    from workbench.notebook.shown import ShownGraphs


class Encoded(NamedTuple):
    """A graph at one version, or two laid over each other, with their tables."""

    #: The version of the graph, and of the one it is compared with.
    version: int
    other_version: int
    message: GraphMessage
    roles: np.ndarray[Any, np.dtype[np.uint8]]
    #: None unless it is a comparison.
    found: Difference | None
    #: Where the operations run; None in a comparison.
    places: Places | None = None
    #: What was known of that when it was looked.
    places_state: tuple[Any, ...] = ()


class GraphCache:
    """The newest encoding of each graph and the newest comparison, shared by all views."""

    def __init__(self, graphs: ShownGraphs) -> None:
        self._graphs = graphs
        self._lock = threading.Lock()
        self._single: weakref.WeakKeyDictionary[Graph, Encoded] = weakref.WeakKeyDictionary()
        self._pair: tuple[weakref.ref[Graph], weakref.ref[Graph], Encoded] | None = None

    def encoded(self, graph: Graph, against: Graph | None = None) -> Encoded:
        """The tables of `graph`, laid over `against` where that is given, as they are now."""
        with self._lock:
            version = self._graphs.version(graph)
            if against is None:
                known = self._single.get(graph)
                state = places_state(graph)
                if known is None or (known.version, known.places_state) != (version, state):
                    known = self._single[graph] = _encode(graph, version, state)
                return known
            other_version = self._graphs.version(against)
            pair = self._pair
            if pair is not None and pair[0]() is graph and pair[1]() is against:
                known = pair[2]
                if (known.version, known.other_version) == (version, other_version):
                    return known
            known = _compare(graph, against, version, other_version)
            self._pair = (weakref.ref(graph), weakref.ref(against), known)
            return known


def _encode(graph: Graph, version: int, state: tuple[Any, ...]) -> Encoded:
    nested = NestedGraph(graph)
    roles = nested_roles(nested)
    places = places_of(nested, graph)
    message = encode(nested, roles, places.devices)
    return Encoded(version, 0, message, roles, None, places, state)


def _compare(graph: Graph, against: Graph, version: int, other_version: int) -> Encoded:
    found = difference(graph, against)
    by_operation: dict[Operation, int] = {}
    for each in (against, graph):
        nested = NestedGraph(each)
        for operation, role in zip(nested.operations, nested_roles(nested), strict=True):
            by_operation[operation] = int(role)
    roles = np.array([by_operation.get(op, 0) for op in found.operations], np.uint8)
    return Encoded(version, other_version, encode_difference(found, roles), roles, found)
