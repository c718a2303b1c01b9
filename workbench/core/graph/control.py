"""Control dependency scopes."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph
    from workbench.core.graph.operation import Operation
    from workbench.core.graph.tensor import Tensor


class ControlDependencies:
    """The scope of `Graph.control_dependencies`: what is made inside waits for its operations.

    An operation that already waits through one of its inputs gets no edge of its own.
    """

    def __init__(self, graph: Graph, control_inputs: list[Operation] | None) -> None:
        self._graph = graph
        self._clears = control_inputs is None
        self.control_inputs = control_inputs or []
        self._seen: set[Operation] = set(self.control_inputs)
        self._outer: list[ControlDependencies] = []
        #: In the body of a conditional or loop: what the body must wait for outside.
        self.outer_inputs: list[Operation] = []

    def __enter__(self) -> None:
        scopes = self._graph.scopes
        self._outer = scopes.control
        # None clears every outer scope; otherwise scopes add up, the innermost first.
        scopes.control = [] if self._clears else [self, *self._outer]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._graph.scopes.control = self._outer

    def covers(self, inputs: tuple[Tensor, ...]) -> bool:
        """True when one of the inputs was made in this scope, and so waits already."""
        return any(t.op in self._seen for t in inputs)

    def note(self, op: Operation) -> None:
        """Remembers that `op` was made inside."""
        self._seen.add(op)


def control_operation(graph: Graph, value: Any) -> Operation:
    """The operation that a control dependency on `value` waits for."""
    from workbench.core.graph.composite import IndexedSlices, ListSlices

    if isinstance(value, (IndexedSlices, ListSlices)):
        value = value.op
    element = graph.as_graph_element(value)
    operation: Operation = element if hasattr(element, "outputs") else element.op
    return operation
