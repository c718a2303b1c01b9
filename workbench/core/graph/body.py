"""Bodies: the functions that are attributes of conditionals and loops."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.graph.body_graph import BodyGraph
from workbench.core.graph.tensor import Tensor

#: Operations whose attributes hold bodies, with the names of these attributes.
BODY_ATTRIBUTES = {
    "If": ("then_branch", "else_branch"),
    "StatelessIf": ("then_branch", "else_branch"),
    "While": ("cond", "body"),
    "StatelessWhile": ("cond", "body"),
}
#: The conditionals and the loops among them.
CONDITIONALS = frozenset({"If", "StatelessIf"})
LOOPS = frozenset({"While", "StatelessWhile"})
CONTROL_FLOW = CONDITIONALS | LOOPS


class Body:
    """A function that an operation calls: its graph, what goes in and what comes out.

    `arguments` has one tensor of the graph for each tensor that the operation hands over: a
    placeholder, or what stands for a variable. `results` are tensors of the graph. `captured` are
    the tensors outside that the function uses without being called with them.
    """

    __slots__ = ("arguments", "graph", "name", "results")

    def __init__(
        self, graph: BodyGraph, arguments: Sequence[Tensor], results: Sequence[Tensor], name: str
    ) -> None:
        self.graph = graph
        self.arguments = list(arguments)
        self.results = list(results)
        self.name = name

    @property
    def captured(self) -> list[Tensor]:
        """The tensors outside that the function uses."""
        return self.graph.captured

    def __repr__(self) -> str:
        return f"<body {self.name!r}: {len(self.arguments)} -> {len(self.results)} tensors>"
