"""The part of a graph that the fetches need."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor

#: Between these a loop in raw form goes round.
_MERGING = frozenset({"Merge", "RefMerge"})
_TURNING = frozenset({"NextIteration", "RefNextIteration"})


def needed_operations(
    fetches: Iterable[Tensor], targets: Iterable[Operation], fed: Iterable[Tensor]
) -> list[Operation]:
    """The operations that must run, each after what it needs; fed tensors need nothing.

    The beginning of a loop in raw form comes before the end of its turns, which it needs as well.
    """
    is_fed = set(fed)
    roots = [t.op for t in fetches if t not in is_fed]
    roots.extend(targets)
    order: list[Operation] = []
    done: set[Operation] = set()
    #: The operations on the way from a root to the current one, in that order.
    path: dict[Operation, None] = {}
    stack = roots[::-1]
    later: list[Operation] = []
    while stack or later:
        if not stack:
            stack, later = later[::-1], []
        op = stack[-1]
        if op in done:
            stack.pop()
        elif op in path:
            del path[op]
            done.add(op)
            order.append(stack.pop())
        else:
            # It stays on the stack below what it needs.
            path[op] = None
            # A fed placeholder has happened for those that wait for it: it has nothing to run.
            before = [c for c in op._control_inputs[::-1] if not _is_fed_placeholder(c, is_fed)]
            before += [t.op for t in op.inputs[::-1] if t not in is_fed]
            if op.type in _MERGING:
                # The end of a loop's turn comes after its beginning.
                turns = [b for b in before if b.type in _TURNING]
                before = [b for b in before if b.type not in _TURNING]
                later.extend(turns)
            for needed in before:
                if needed in path:
                    raise _cycle(list(path), needed)
                if needed not in done:
                    stack.append(needed)
    return order


def _cycle(path: list[Operation], op: Operation) -> InvalidArgumentError:
    names = [each.name for each in path[path.index(op) :]]
    return InvalidArgumentError(
        None,
        op,
        f"Graph is invalid, contains a cycle with {len(names)} nodes, including: "
        f"{', '.join(names)}",
    )


def _is_fed_placeholder(op: Operation, fed: set[Tensor]) -> bool:
    return op.type in ("Placeholder", "PlaceholderV2") and op.outputs[0] in fed


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
