"""A graph as a few lines of text, for terminals and for notebooks without the view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workbench.core.graph.difference import difference
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.notebook.graph_message import shape_text

_MAXIMUM_LINES = 40
_MAXIMUM_TYPES = 4


def graph_text(graph: Graph, against: Graph | None = None) -> str:
    """The graph's operations by their outermost name scope, in the order they were made.

    With `against`, what the graph has, lacks and does otherwise than that one.

    >>> import workbench as tf
    >>> graph = tf.Graph()
    >>> with graph.as_default():
    ...     x = tf.placeholder(tf.float32, [None, 784], name="x")
    ...     with tf.name_scope("dense"):
    ...         y = tf.nn.relu(x)
    >>> print(graph_text(graph))
    Graph: 2 operations
      x       Placeholder   float32[?,784]
      dense/  1 operation   Relu
    """
    if against is not None:
        return str(difference(graph, against))
    operations = graph.get_operations()
    scopes: dict[str, list[Operation]] = {}
    for operation in operations:
        head, slash, _ = operation.name.partition("/")
        scopes.setdefault(head + slash, []).append(operation)
    lines = [f"Graph: {count(len(operations), 'operation')}"]
    shown = list(scopes.items())[:_MAXIMUM_LINES]
    rows = [_row(name, members) for name, members in shown]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(2)]
    for name, kind, detail in rows:
        lines.append(f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {detail}".rstrip())
    if len(scopes) > len(shown):
        lines.append(f"  ... and {len(scopes) - len(shown)} more")
    return "\n".join(lines)


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 operation", "2 operations"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _row(name: str, members: Sequence[Operation]) -> tuple[str, str, str]:
    if not name.endswith("/") and len(members) == 1:
        [operation] = members
        return name, operation.type, ", ".join(shape_text(t) for t in operation.outputs[:3])
    types = Counter(operation.type for operation in members)
    common = [f"{t} x{n}" if n > 1 else t for t, n in types.most_common(_MAXIMUM_TYPES)]
    more = ", ..." if len(types) > _MAXIMUM_TYPES else ""
    return name, count(len(members), "operation"), ", ".join(common) + more
