"""Placeholders that a run needs and nobody feeds."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor


def missing_feeds(
    order: list[Operation], fetches: Iterable[Tensor | Operation], fed: Iterable[Tensor]
) -> list[tuple[Operation, list[str]]]:
    """Placeholders that need a value, each with the names on a path from a fetch to it."""
    is_fed = set(fed)
    missing = [
        op
        for op in order
        if op.type in ("Placeholder", "PlaceholderV2") and op.outputs[0] not in is_fed
    ]
    if not missing:
        return []
    # One breadth-first walk from the fetches gives the shortest path to every placeholder.
    came_from: dict[Operation, Operation | None] = {}
    level: list[Operation] = []
    for fetch in fetches:
        op = fetch.op if isinstance(fetch, Tensor) else fetch
        if op not in came_from:
            came_from[op] = None
            level.append(op)
    while level:
        following: list[Operation] = []
        for op in level:
            sources = [t.op for t in op.inputs if t not in is_fed]
            for source in (*sources, *op._control_inputs):
                if source not in came_from:
                    came_from[source] = op
                    following.append(source)
        level = following
    return [(op, _path(op, came_from)) for op in missing if op in came_from]


def _path(op: Operation, came_from: dict[Operation, Operation | None]) -> list[str]:
    names: list[str] = []
    current: Operation | None = op
    while current is not None:
        names.append(current.name)
        current = came_from[current]
    return names[::-1]
