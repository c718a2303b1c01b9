"""What planning gives: a plan in regions."""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.fusion.program import RegionProgram
from workbench.core.plan.memory import Step
from workbench.core.plan.node import Node, Value
from workbench.core.plan.plan import Plan


class RegionPlan(NamedTuple):
    """Steps that follow each other, and their program where they are compiled."""

    #: With decisions about memory, which the interpreter follows.
    steps: tuple[Step, ...]
    program: RegionProgram | None
    #: Steps of a compiled region that only name values or see them in another way, and that
    #: somebody outside needs: interpreted before the region, and after it.
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    #: Results of updates that are used outside: they stand for the variables.
    updated: tuple[Value, ...] = ()


class CompiledPlan(NamedTuple):
    """A plan in regions."""

    plan: Plan
    regions: tuple[RegionPlan, ...]
    #: Why nodes are interpreted.
    reasons: dict[Node, str]
    #: Values that are fetched though they share storage with something that lives on.
    copied: frozenset[Value]

    @property
    def is_compiled(self) -> bool:
        """True if anything is."""
        return any(r.program is not None for r in self.regions)
