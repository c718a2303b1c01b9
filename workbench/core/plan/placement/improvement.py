"""Improvement of a placement: what belongs together moves, as long as the step gets faster.

A greedy choice sees no further than the operation it is about. Here each group of operations, alone
and with those of the same device that it needs or that need it, is tried on the other devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from workbench.core.graph.operation import Operation
from workbench.core.plan.placement.colocation import Group

#: How many operations may be simulated for it: less than a second of work.
BUDGET = 50_000


class Neighbourhood:
    """Which groups that may move give to which.

    Args:
      order: the operations of the step.
      group_of: the group of each.
      movable: the groups that may be on several devices.
    """

    def __init__(
        self,
        order: Sequence[Operation],
        group_of: Mapping[Operation, Group],
        movable: Sequence[Group],
    ) -> None:
        self._sources: dict[Group, dict[Group, None]] = {group: {} for group in movable}
        self._users: dict[Group, dict[Group, None]] = {group: {} for group in movable}
        for op in order:
            user = group_of[op]
            if user not in self._sources:
                continue
            for tensor in op.inputs:
                source = group_of.get(tensor.op)
                if source is not user and source in self._users:
                    self._sources[user][source] = None
                    self._users[source][user] = None

    def clusters(self, group: Group, chosen: Mapping[Group, str]) -> Iterator[list[Group]]:
        """What may move with a group: nothing, what it needs there, what needs it, both."""
        yield [group]
        before = self._reached(group, self._sources, chosen)
        after = self._reached(group, self._users, chosen)
        if before:
            yield [group, *before]
        if after:
            yield [group, *after]
        if before and after:
            yield [group, *before, *after]

    @staticmethod
    def _reached(
        group: Group, edges: Mapping[Group, Mapping[Group, None]], chosen: Mapping[Group, str]
    ) -> list[Group]:
        """What is reached on the group's device without leaving it."""
        found: dict[Group, None] = {group: None}
        waiting = [group]
        while waiting:
            for other in edges[waiting.pop()]:
                if other not in found and chosen[other] == chosen[group]:
                    found[other] = None
                    waiting.append(other)
        return [other for other in found if other is not group]


def improved(
    chosen: Mapping[Group, str],
    seconds: float,
    feasible: Mapping[Group, Sequence[str]],
    neighbourhood: Neighbourhood,
    simulated: Callable[[Mapping[Group, str]], float | None],
    operations: int,
    budget: int = BUDGET,
) -> tuple[dict[Group, str], dict[Group, str]]:
    """A placement that no such move makes faster, or what is found when the budget is spent.

    Where the graph is so large that not each group can be tried once, it stays as it is.

    Args:
      chosen: the placement to begin with, and `seconds` how long its step takes.
      feasible: the devices of the groups that may move.
      neighbourhood: what may move together.
      simulated: how long a step takes; None where variables have no room so.
      operations: how many operations that simulates.

    Returns:
      The placement, and where the groups had been that moved.
    """
    best = dict(chosen)
    tries = budget // max(operations, 1)
    moved: dict[Group, str] = {}
    # What cannot even try each group once finds little, and takes its time for it.
    is_better = tries >= len(feasible)
    while is_better:
        is_better = False
        for group in feasible:
            for cluster in list(neighbourhood.clusters(group, best)):
                for device in feasible[group]:
                    movers = [g for g in cluster if best[g] != device and device in feasible[g]]
                    if not movers or group not in movers:
                        continue
                    if tries <= 0:
                        return best, moved
                    tries -= 1
                    trial = {**best, **dict.fromkeys(movers, device)}
                    took = simulated(trial)
                    # Sums that differ by their rounding alone are the same.
                    if took is not None and took < seconds * (1 - 1e-9):
                        for mover in movers:
                            moved.setdefault(mover, chosen[mover])
                        best, seconds, is_better = trial, took, True
                        break
    return best, {g: was for g, was in moved.items() if best[g] != was}
