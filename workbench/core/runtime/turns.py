"""Which ways the last run of a program went: passes of its loops, branches of its conditionals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.core.graph.operation import Operation
from workbench.core.plan.node import Node
from workbench.core.plan.plan import Plan


class Turns:
    """Counts while a program runs; loops and conditionals in bodies count too.

    A loop that machine code goes through counts its passes, but not what is inside of them.
    """

    def __init__(self) -> None:
        #: How many passes each loop made in all.
        self.passes: dict[Operation, int] = {}
        #: How often each conditional took its else and its then branch.
        self.taken: dict[Operation, tuple[int, int]] = {}

    def loop(self, node: Node, passes: int) -> None:
        """A loop was gone through."""
        if node.origin is not None:
            self.passes[node.origin] = self.passes.get(node.origin, 0) + passes

    def branch(self, node: Node, is_true: bool) -> None:
        """A conditional took a branch."""
        if node.origin is not None:
            no, yes = self.taken.get(node.origin, (0, 0))
            self.taken[node.origin] = (no + (not is_true), yes + is_true)

    def clear(self) -> None:
        """Forgets the last run."""
        self.passes.clear()
        self.taken.clear()

    def counting(self, maker: Any) -> Any:
        """What makes bodies, so that they count here."""
        maker.turns = self
        return maker


def unrolled_passes(plan: Plan) -> Mapping[Operation, int]:
    """The passes of the loops that became their passes, one after the other.

    Those of a loop inside of another one are added up.
    """
    passes: dict[Operation, dict[tuple[int, ...], int]] = {}
    for step in plan.memory.steps:
        around = step.node.passes
        for depth, (number, loop) in enumerate(around):
            outer = tuple(outside for outside, _ in around[depth + 1 :])
            known = passes.setdefault(loop, {})
            known[outer] = max(known.get(outer, 0), number + 1)
    return {loop: sum(known.values()) for loop, known in passes.items()}
