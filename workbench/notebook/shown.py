"""The graphs that views may name: the default one, those with names, those that were displayed."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.notebook.protocol import BAD_PARAMETERS, Refusal, nearest

#: The name of the graph that operations are added to unless the user says otherwise.
DEFAULT = "default"


class ShownGraphs:
    """Names of graphs.

    A graph that the user named is kept alive until the name is given to another one. A graph that
    was only displayed gets a key, and lives as long as the user's own variables hold it.

    >>> shown = ShownGraphs()
    >>> graph = Graph()
    >>> shown.add(graph, "digits")
    'digits'
    >>> shown.find("digits") is graph
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._named: dict[str, Graph] = {}
        self._keys: weakref.WeakKeyDictionary[Graph, str] = weakref.WeakKeyDictionary()
        self._by_key: weakref.WeakValueDictionary[str, Graph] = weakref.WeakValueDictionary()
        self._versions: weakref.WeakKeyDictionary[Graph, tuple[int, int, int]] = (
            weakref.WeakKeyDictionary()
        )
        self._numbers = itertools.count(1)
        self._default: weakref.ref[Graph] | None = None
        #: Finds graphs that are kept elsewhere, such as in the folders of runs.
        self.find_elsewhere: Callable[[str], Graph | None] = lambda name: None

    def add(self, graph: Graph, name: str | None = None) -> str:
        """Makes `graph` known and returns the name that views use for it."""
        if name is not None and (not name.isprintable() or not 0 < len(name) <= 200):
            raise ValueError(f"a graph's name is 1 to 200 printable characters, not {name!r}")
        if name == DEFAULT:
            raise ValueError("the name 'default' always means the current default graph")
        with self._lock:
            if name is not None:
                self._named[name] = graph
                return name
            for known, named in self._named.items():
                if named is graph:
                    return known
            key = self._keys.get(graph)
            if key is None:
                key = f"graph-{next(self._numbers)}"
                self._keys[graph] = key
                self._by_key[key] = graph
            return key

    def note_default(self) -> None:
        """Remembers the default graph of this thread: another thread's may be another one."""
        self._default = weakref.ref(get_default_graph())

    def find(self, name: str) -> Graph:
        """The graph of that name; a `Refusal` with the nearest names where there is none."""
        if name == DEFAULT:
            return self._current_default()
        with self._lock:
            graph = self._named.get(name) or self._by_key.get(name)
            known = [DEFAULT, *self._named, *self._by_key]
        if graph is None:
            graph = self.find_elsewhere(name)
        if graph is None:
            if _is_key(name):
                raise Refusal(BAD_PARAMETERS, f"{name} is no longer in the kernel: show it again")
            raise Refusal(BAD_PARAMETERS, f"there is no graph {name!r}{nearest(name, known)}")
        return graph

    def name_of(self, graph: Graph) -> str:
        """The name that views use for `graph`, given now if it has none."""
        return self.add(graph)

    def named(self) -> dict[str, Graph]:
        """The graphs that have names of the user's."""
        with self._lock:
            return dict(self._named)

    def version(self, graph: Graph) -> int:
        """A number that grows whenever `graph` has grown, changed or lost operations."""
        state = (graph.version, graph.changes)
        with self._lock:
            known = self._versions.get(graph)
            if known is None or known[:2] != state:
                known = (*state, known[2] + 1 if known else 1)
                self._versions[graph] = known
            return known[2]

    def summaries(self) -> list[dict[str, Any]]:
        """The protocol's `GraphSummary` of each graph, the default one first."""
        with self._lock:
            graphs = {**self._named, **dict(self._by_key)}
        default = self._current_default()
        found = {DEFAULT: default, **{k: g for k, g in graphs.items() if g is not default}}
        return [
            {"graph": name, "operations": graph.version, "version": self.version(graph)}
            for name, graph in found.items()
        ]

    def _current_default(self) -> Graph:
        noted = self._default() if self._default else None
        return noted if noted is not None else get_default_graph()


def _is_key(name: str) -> bool:
    """True for a key that `ShownGraphs.add` once gave out."""
    head, _, number = name.partition("-")
    return head == "graph" and number.isdigit()
