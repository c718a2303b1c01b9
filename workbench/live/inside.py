"""Operations inside of the bodies of conditionals and loops, numbered as they are met."""

from __future__ import annotations

import threading

from workbench.core.graph.body_graph import BodyGraph
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation


class InsideOperations:
    """The numbers of operations in the bodies of a graph; an operation keeps its number.

    Programs are prepared in one thread while another one runs a step: all methods are for any.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._lock = threading.Lock()
        self._numbers: dict[Operation, int] = {}
        self._operations: tuple[Operation, ...] = ()

    def number(self, operation: Operation) -> int | None:
        """The number of an operation in a body of the graph; None for all others."""
        owner = operation.graph
        if not isinstance(owner, BodyGraph) or owner.outermost is not self._graph:
            return None
        with self._lock:
            return self._numbers.setdefault(operation, len(self._numbers))

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations, by their numbers; the same object until there are more."""
        with self._lock:
            if len(self._operations) != len(self._numbers):
                self._operations = tuple(self._numbers)
            return self._operations
