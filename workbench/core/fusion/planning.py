"""A plan for the compiled tier: its regions, and the programs of those that are compiled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from workbench.core.codegen.target import Target
from workbench.core.fusion.building import LeftToInterpreter, RegionBuilder
from workbench.core.fusion.classify import Classification
from workbench.core.fusion.compiled_plan import CompiledPlan, RegionPlan
from workbench.core.fusion.decomposing import Decomposed, decompose_nodes
from workbench.core.fusion.hazards import Hazards
from workbench.core.fusion.placement import NeedsCopy
from workbench.core.fusion.regions import NAMING, Region, find_regions
from workbench.core.fusion.roles import WITHOUT_KERNEL, Role
from workbench.core.plan.memory import plan_memory
from workbench.core.plan.node import READ, Node, Value
from workbench.core.plan.plan import Plan
from workbench.core.plan.schedule import updated_handles

#: A plan is made again without the nodes that turn out to have no kernel, at most so often.
_MOST_ATTEMPTS = 64


def plan_regions(plan: Plan, target: Target) -> CompiledPlan:
    """The regions of a plan, compiled as far as there are kernels for a target."""
    # Once for all attempts: they tell each other of nodes.
    decomposed = decompose_nodes([s.node for s in plan.memory.steps], plan.fetches)
    left: dict[Node, str] = {}
    copied: set[Node] = set()
    for _ in range(_MOST_ATTEMPTS):
        try:
            return _attempt(plan, decomposed, target, left, frozenset(copied))
        except LeftToInterpreter as error:
            left.update(dict.fromkeys(error.nodes, error.reason))
        except NeedsCopy as error:
            if error.node in copied:
                left[error.node] = "its elements lie in pieces"
            copied.add(error.node)
    reason = "no kernels were found in time"
    everything = {n: reason for n in decomposed.order if n.type not in NAMING}
    return _attempt(plan, decomposed, target, left | everything, frozenset())


def _attempt(
    plan: Plan,
    decomposed: Decomposed,
    target: Target,
    left: dict[Node, str],
    copied: frozenset[Node],
) -> CompiledPlan:
    order, fetches = decomposed.order, decomposed.fetches
    hazards = Hazards(order)
    classification = Classification(left, copied)
    regions = [
        _trimmed(r, classification)
        for r in find_regions(order, hazards, classification.is_compiled)
    ]
    new_order = [n for region in regions for n in region.nodes]
    memory = plan_memory(new_order, fetches)
    step_of = {s.node: s for s in memory.steps}
    in_place = frozenset(s.node for s in memory.steps if s.updates_in_place)
    found: list[RegionPlan] = []
    for region in regions:
        steps = tuple(step_of[n] for n in region.nodes)
        if not region.is_compiled:
            found.append(RegionPlan(steps, None))
            continue
        outside = _used_outside(region.nodes, new_order, fetches)
        values, named = _by_name(region.nodes, outside, classification)
        late = [n for n in named if _is_late(n, set(region.nodes), hazards)]
        updated = tuple(v for v in values if classification.role(v.node) is Role.UPDATE)
        _require_last(region.nodes, [*late, *(v.node for v in updated)], hazards)
        builder = RegionBuilder(region.nodes, classification, hazards, in_place, values, target)
        program = builder.build()
        early = [n for n in named if n not in late]
        found.append(
            RegionPlan(
                steps,
                program,
                tuple(step_of[n] for n in early),
                tuple(step_of[n] for n in late),
                updated,
            )
        )
    if decomposed.replaced:
        located = {t: decomposed.replaced.get(v, v) for t, v in plan.values.items()}
        run = set(new_order)
        located = {t: v for t, v in located.items() if v.node in run}
        plan = plan._replace(fetches=fetches, values=located)
    return CompiledPlan(plan, tuple(found), classification.reasons, memory.copied)


def _trimmed(region: Region, classification: Classification) -> Region:
    """A region without a kernel is interpreted: it only names values."""
    if not region.is_compiled:
        return region
    kernels = any(
        classification.role(n) not in WITHOUT_KERNEL for n in region.nodes if n.type not in NAMING
    )
    return region if kernels else Region(region.nodes, False)


def _by_name(
    nodes: Sequence[Node], outside: Sequence[Value], classification: Classification
) -> tuple[list[Value], list[Node]]:
    """The values that kernels must give to the outside, and the nodes without kernels that make
    the others of them."""
    inside = set(nodes)
    named: set[Node] = set()
    values: dict[Value, None] = {}
    stack = list(outside)
    while stack:
        value = stack.pop()
        if value.node not in inside:
            continue
        if classification.role(value.node) not in WITHOUT_KERNEL:
            values[value] = None
        elif value.node not in named:
            named.add(value.node)
            stack.extend(value.node.inputs)
    return list(values), [n for n in nodes if n in named]


def _is_late(node: Node, inside: set[Node], hazards: Hazards) -> bool:
    """True for a node without a kernel that needs what the region computes."""
    for before in hazards.before(node):
        if before in inside and (before.type not in NAMING or _is_late(before, inside, hazards)):
            return True
    return False


def _require_last(nodes: Sequence[Node], seeing: Sequence[Node], hazards: Hazards) -> None:
    """After a region variables have their last values: whoever sees one must mean that.

    Raises:
      LeftToInterpreter: a node sees what another one of the region replaces.
    """
    for node in nodes:
        if not updated_handles(node):
            continue
        users = hazards.users_before.get(node, ())
        if any(n in users and (n.type == READ or updated_handles(n)) for n in seeing):
            raise LeftToInterpreter([node], "what it replaces is used outside of a kernel")


def _used_outside(
    nodes: Sequence[Node], order: Sequence[Node], fetches: Sequence[Value]
) -> list[Value]:
    """The values of some nodes that others use, or that are fetched."""
    inside = set(nodes)
    users: dict[Node, list[Value]] = defaultdict(list)
    for node in order:
        if node not in inside:
            for value in node.inputs:
                if value.node in inside:
                    users[value.node].append(value)
    found = dict.fromkeys(v for values in users.values() for v in values)
    found |= dict.fromkeys(v for v in fetches if v.node in inside)
    return list(found)


__all__ = ["CompiledPlan", "RegionPlan", "plan_regions"]
