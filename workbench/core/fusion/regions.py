"""Cuts a plan into regions: steps that are compiled together, and steps that are interpreted.

The order of the plan is one of many that its data and effects allow. Here another one is taken,
with as few changes between compiled and interpreted steps as a greedy choice finds.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from workbench.core.fusion.hazards import Hazards
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, READ, Node

#: Nodes that compute nothing: they run with whoever needs them.
NAMING = frozenset({FEED, CONSTANT, HANDLE, READ})


class Region(NamedTuple):
    """Steps that run one after the other, all compiled or all interpreted."""

    nodes: tuple[Node, ...]
    is_compiled: bool


def find_regions(
    order: Sequence[Node], hazards: Hazards, is_compiled: Callable[[Node], bool]
) -> list[Region]:
    """The regions of a schedule.

    Interpreted steps that wait for nothing come first, so that what is interpreted and needs the
    feeds alone does not cut a compiled region in two.
    """
    position = {node: i for i, node in enumerate(order)}
    waiting: dict[Node, int] = {}
    followers: dict[Node, list[Node]] = defaultdict(list)
    for node in order:
        before = {b for b in hazards.before(node) if b in position}
        waiting[node] = len(before)
        for b in before:
            followers[b].append(node)
    ready: dict[bool, list[int]] = {False: [], True: []}
    neutral: list[int] = []

    def offer(node: Node) -> None:
        queue = neutral if node.type in NAMING else ready[is_compiled(node)]
        heapq.heappush(queue, position[node])

    for node in order:
        if not waiting[node]:
            offer(node)
    regions: list[Region] = []
    current: list[Node] = []
    kind = False
    while neutral or ready[False] or ready[True]:
        queue = neutral or ready[kind]
        if not queue:
            if current:
                regions.append(Region(tuple(current), kind))
                current = []
            kind = not kind
            continue
        node = order[heapq.heappop(queue)]
        current.append(node)
        for follower in followers[node]:
            waiting[follower] -= 1
            if not waiting[follower]:
                offer(follower)
    if current:
        regions.append(Region(tuple(current), kind))
    return _joined(regions)


def _joined(regions: list[Region]) -> list[Region]:
    """Regions that only name values go with the next one."""
    joined: list[Region] = []
    carried: tuple[Node, ...] = ()
    for region in regions:
        if all(n.type in NAMING for n in region.nodes):
            carried += region.nodes
            continue
        joined.append(Region((*carried, *region.nodes), region.is_compiled))
        carried = ()
    if carried:
        if joined:
            joined[-1] = Region((*joined[-1].nodes, *carried), joined[-1].is_compiled)
        else:
            joined.append(Region(carried, False))
    return joined
