"""Measuring a compiled program from inside: its kernels, and the steps between them.

Kernels are timed one by one, and each shares its time among the operations it computes, by what
each of them would cost alone. Values that lie in memory are looked at where they lie; those that
never leave the registers are computed again for whoever looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from workbench.core.fusion.compiled_plan import RegionPlan
from workbench.core.plan.memory import Step
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, Node
from workbench.core.runtime.probe import Look, Probe
from workbench.core.runtime.probed_region import ProbedRegion, Results
from workbench.core.runtime.program import Program
from workbench.core.runtime.region import CompiledRegion
from workbench.core.runtime.region_values import RegionValues, Sight
from workbench.core.runtime.tiered import TieredWriter
from workbench.core.runtime.tiers import Compilation

#: What it costs to run a region by way of the probe, in seconds.
_COST_OF_REGION = 10e-6


class _Part(NamedTuple):
    """A region among the steps, and the places of its nodes among those timed."""

    region: ProbedRegion
    places: range


class CompiledProbe(Probe):
    """What a compiled program reports while it runs."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._parts: list[_Part] = []
        self._sights: dict[int, tuple[ProbedRegion, Sight]] = {}
        self._slot_of: dict[Node, int] = {}
        self._values_of: dict[Node, RegionValues] = {}

    # -- for the writer of a program ---------------------------------------------------------

    def region(self, plan: RegionPlan, compiled: CompiledRegion) -> Callable[..., Any]:
        """What a program calls in place of a region."""
        region = ProbedRegion(compiled, self._look_at_node)
        place = len(self.timed)
        by_name = {s.node for s in (*plan.before, *plan.after)}
        for node in region.nodes:
            self.timed.append(self._enter(node, region, place))
        for step in plan.steps:
            node = step.node
            if node.type in (FEED, CONSTANT, HANDLE):
                continue
            if node not in by_name and node not in self._slot_of:
                self._enter(node, region, place)
        part = _Part(region, range(place, len(self.timed)))
        self._parts.append(part)

        def run(*values: Any) -> tuple[Any, ...]:
            outputs = region(*values)
            ended = [region.ended] * len(part.places)
            self._stamps[place + 1 : place + 1 + len(part.places)] = ended
            return outputs

        return run

    def _enter(self, node: Node, region: ProbedRegion, place: int) -> int:
        slot = self._slot_of[node] = self._slot(node)
        self._places[slot] = place
        sight = region.values.sight(node)
        if sight is not None:
            self._sights[slot] = region, sight
            self._values_of.update((each, region.values) for each in sight.computed)
        return slot

    # -- for whoever runs it -----------------------------------------------------------------

    @property
    def overhead(self) -> float:
        """How much longer a run takes for the probe, without looks, in seconds."""
        interpreted = len(self.nodes) - len(self._slot_of)
        lines = super().overhead * interpreted / max(len(self.nodes), 1)
        return lines + _COST_OF_REGION * len(self._parts)

    def sees(self, slot: int, output: int) -> bool:
        """Whether a result of a step can be looked at."""
        if self.nodes[slot] not in self._slot_of:
            return True
        found = self._sights.get(slot)
        return found is not None and output in found[1].outputs

    def needs(self, slot: int) -> frozenset[Node]:
        """The steps that are computed again for whoever looks at the results of this one."""
        found = self._sights.get(slot)
        return frozenset() if found is None else found[1].computed

    def cost(self, steps: Iterable[Node]) -> float:
        """How long it takes to compute steps again, in seconds."""
        return sum(self._values_of[step].cost([step]) for step in steps)

    def choose(self, slot: int, chosen: bool = True) -> None:
        """Has the results of a step looked at from the next run on, or no more."""
        found = self._sights.get(slot)
        if found is None:
            super().choose(slot, chosen)
            return
        region, sight = found
        if chosen:
            region.look_at(self.nodes[slot], sight)
        else:
            region.look_no_more(self.nodes[slot], sight)

    def clear(self) -> None:
        """Looks at nothing any more, and forgets the times of the last run."""
        super().clear()
        for part in self._parts:
            part.region.clear()

    def seconds(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """How long each timed step took in the last run, without the looks."""
        seconds = super().seconds()
        for region, places in self._parts:
            members = slice(places.start, places.stop)
            if region.is_timed:
                seconds[members] = region.seconds()
            elif places:
                seconds[members] = seconds[members].sum() / len(places)
        return seconds

    def _look_at_node(self, node: Node, results: Results) -> None:
        self._timed_look(self._slot_of[node], results)


class ProbedTieredWriter(TieredWriter):
    """Writes a compiled program again, with a probe in it; the regions are those of the first."""

    def __init__(self, compilation: Compilation, session: Any, probe: CompiledProbe) -> None:
        assert compilation.plan is not None
        super().__init__(compilation.plan, session, 1)
        self._existing = compilation.regions
        self._probe = probe

    def _body_maker(self, step: Step) -> Any:
        assert self._probe is not None
        return self._probe.turns.counting(super()._body_maker(step))

    def _make_region(self, region: RegionPlan) -> CompiledRegion:
        found: CompiledRegion = self._existing[len(self.regions)]
        return found

    def _caller(self, region: RegionPlan, compiled: CompiledRegion) -> Any:
        assert isinstance(self._probe, CompiledProbe)
        return self._probe.region(region, compiled)


def probed_program(program: Program, session: Any, look: Look) -> tuple[Program, CompiledProbe]:
    """A compiled program with a probe in it, beside the plain one of a session.

    Raises:
      RuntimeError: the session is closed.
    """
    compilation = session._programs.tiers.find(program)
    if compilation is None:
        raise RuntimeError("The session is closed.")
    probe = CompiledProbe(look)
    return ProbedTieredWriter(compilation, session, probe).write(), probe
