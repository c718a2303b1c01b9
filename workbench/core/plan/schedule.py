"""The order of a plan.

Data, control and variables order it: a variable is read before an assignment that the read does
not wait for, so that a step computes with the values it started with; unordered assignments keep
the order in which the user made them.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence

from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.plan.node import HANDLE, READ, Node, Value
from workbench.core.plan.rewrite import sort_nodes


def updated_handles(node: Node) -> list[Node]:
    """The variables a node gives new values."""
    if node.type in CONTROL_FLOW:
        return [node.inputs[i].node for i in node.attrs["updated"]]
    declaration = node.declaration
    if declaration is None or not declaration.stateful or not declaration.updated_variables:
        return []
    handles = [v.node for v in node.inputs if v.node.type == HANDLE]
    return handles[: declaration.updated_variables]


class Aliases:
    """Which storage each value may share: a variable's, or that of the node that made it."""

    def __init__(self, order: Sequence[Node]) -> None:
        self._roots: dict[Value, frozenset[object]] = {}
        for node in order:
            roots = self._roots_of(node)
            for index in range(len(node.dtypes)):
                value = node.output(index)
                self._roots[value] = roots if roots is not None else frozenset((value,))

    def _roots_of(self, node: Node) -> frozenset[object] | None:
        if node.type in CONTROL_FLOW:
            # Bodies may give out what they were given; arrays of variables only inside of lists.
            lists = any(d.name == "variant" for d in node.dtypes)
            given = [v for v in node.inputs if lists or v.node.type != HANDLE]
            return frozenset().union(*(self._roots[v] for v in given))
        if node.type == READ:
            return frozenset((node.inputs[0].node,))
        if node.type == HANDLE:
            return frozenset((node,))
        updated = updated_handles(node)
        if updated:
            return frozenset(updated)
        if node.inputs and (
            (node.declaration is not None and node.declaration.aliases_input)
            # A list has the arrays of its elements, and so has the sum of lists.
            or any(d.name == "variant" for d in node.dtypes)
        ):
            return frozenset().union(*(self._roots[v] for v in node.inputs))
        return None

    def of(self, value: Value) -> frozenset[object]:
        """The storages that `value` may share: values for fresh arrays, handles for variables."""
        return self._roots[value]


def schedule(roots: Iterable[Node]) -> list[Node]:
    """The nodes that `roots` need, in the order they run."""
    nodes = sort_nodes(roots)
    position = {node: i for i, node in enumerate(nodes)}
    aliases = Aliases(nodes)
    consumers: dict[Node, list[Node]] = defaultdict(list)
    for node in nodes:
        for before in {*(v.node for v in node.inputs), *node.after}:
            consumers[before].append(node)
    waits_for = _users_before_updates(nodes, aliases, consumers)
    pending = {n: len({*(v.node for v in n.inputs), *n.after}) for n in nodes}
    ready = [position[n] for n in nodes if not pending[n]]
    heapq.heapify(ready)
    deferred: set[int] = set()
    order: list[Node] = []
    done: set[Node] = set()
    while ready or deferred:
        chosen = _next(ready, deferred, nodes, waits_for, done)
        node = nodes[chosen]
        order.append(node)
        done.add(node)
        for consumer in consumers[node]:
            pending[consumer] -= 1
            if not pending[consumer]:
                heapq.heappush(ready, position[consumer])
    return order


def _next(
    ready: list[int],
    deferred: set[int],
    nodes: Sequence[Node],
    waits_for: dict[Node, set[Node]],
    done: set[Node],
) -> int:
    """The next node: an update only when all users of the old value are done, or nothing else is
    left."""
    for candidate in sorted(deferred):
        if waits_for[nodes[candidate]] <= done:
            deferred.discard(candidate)
            return candidate
    while ready:
        candidate = heapq.heappop(ready)
        if waits_for.get(nodes[candidate], set()) <= done:
            return candidate
        deferred.add(candidate)
    candidate = min(deferred)
    deferred.discard(candidate)
    return candidate


def _users_before_updates(
    nodes: Sequence[Node], aliases: Aliases, consumers: dict[Node, list[Node]]
) -> dict[Node, set[Node]]:
    """For each update of a variable: the nodes that use the variable's value and do not wait for
    the update."""
    users: dict[Node, set[Node]] = defaultdict(set)
    updates: list[tuple[Node, Node]] = []
    for node in nodes:
        updated = updated_handles(node)
        updates.extend((node, handle) for handle in updated)
        if node.type == READ:
            users[node.inputs[0].node].add(node)
        elif node.type in CONTROL_FLOW:
            handles = [v.node for v in node.inputs if v.node.type == HANDLE]
            for handle in handles:
                if handle not in updated:
                    users[handle].add(node)
        for value in node.inputs:
            for root in aliases.of(value):
                if isinstance(root, Node) and value.node.type != HANDLE:
                    users[root].add(node)
    waits: dict[Node, set[Node]] = {}
    for update, handle in updates:
        using = users[handle]
        if not using:
            continue
        later = _descendants(update, consumers)
        earlier = {u for u in using if u not in later and u is not update}
        waits.setdefault(update, set()).update(earlier)
    return waits


def _descendants(node: Node, consumers: dict[Node, list[Node]]) -> set[Node]:
    found: set[Node] = set()
    stack = [node]
    while stack:
        for consumer in consumers[stack.pop()]:
            if consumer not in found:
                found.add(consumer)
                stack.append(consumer)
    return found
