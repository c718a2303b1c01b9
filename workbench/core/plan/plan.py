"""A plan: what a run of given fetches and feeds does, decided once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, format_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.lists.element_types import ElementType
from workbench.core.plan.lowering import lower
from workbench.core.plan.memory import MemoryPlan, plan_memory
from workbench.core.plan.node import Node, NodeTable, Value
from workbench.core.plan.reach import needed_operations
from workbench.core.plan.rewrite import Rewriter
from workbench.core.plan.schedule import schedule
from workbench.core.plan.simplification import RULES
from workbench.core.plan.specialise import specialised_shapes


class Plan(NamedTuple):
    """The steps of a run in order, their memory, and where the results come from."""

    feeds: tuple[Node, ...]
    fetches: tuple[Value, ...]
    memory: MemoryPlan
    #: How often each rule applied, and what the passes did.
    counts: Counter[str]
    #: How many operations of the graph the fetches need, of how many.
    needed: int
    total: int
    #: What a static shape rule says of the shapes fed. The kernel of that operation may say it
    #: better; where it says nothing, this is raised in its place.
    misfit: InvalidArgumentError | None = None
    #: Which step has the value of a tensor, for those who look on. What the passes made superfluous
    #: is not here, nor are variables.
    values: Mapping[Tensor, Value] = MappingProxyType({})

    @property
    def may_wait(self) -> bool:
        """True where a step may wait for what others do."""
        declarations = (step.node.declaration for step in self.memory.steps)
        return any(d is not None and d.blocking for d in declarations)

    def __str__(self) -> str:
        return describe(self)


def make_plan(
    fetches: Sequence[Tensor],
    targets: Sequence[Operation],
    fed: Sequence[Tensor],
    fed_shapes: Sequence[tuple[int, ...] | None],
    optimise: bool = True,
    constants: Mapping[Tensor, np.ndarray[Any, Any]] = MappingProxyType({}),
    fed_lists: Mapping[Tensor, ElementType] = MappingProxyType({}),
) -> Plan:
    """The plan for fetching tensors and running operations with some tensors fed.

    `fed_shapes` are the shapes of what is fed, None entries where the plan must serve any;
    `optimise=False` leaves out folding and simplification. `constants` are tensors of which the
    value is known, `fed_lists` says what the elements of fed lists are like.
    """
    order = needed_operations(fetches, targets, [*fed, *constants])
    known = {t: s for t, s in zip(fed, fed_shapes, strict=True) if s is not None}
    known.update((t, array.shape) for t, array in constants.items())
    shapes: dict[Tensor, Entries] = {}
    misfit = None
    if fed_lists or any(t.entries != s for t, s in known.items()):
        try:
            shapes = specialised_shapes(order, known, fed_lists)
        except InvalidArgumentError as error:
            misfit = error
    table = NodeTable()
    lowering, values, roots = lower(order, fetches, targets, fed, shapes, table, constants)
    counts: Counter[str] = Counter()
    found: dict[Tensor, Value | None] = dict(lowering.values)
    if optimise:
        rewriter = Rewriter(table, RULES)
        values, roots = rewriter.rewrite(values, roots)
        counts = rewriter.counts
        found = {tensor: rewriter.rewritten(value) for tensor, value in lowering.values.items()}
    counts["common subexpressions"] = table.merged
    counts["loops unrolled"] = lowering.unrolled
    steps = schedule([*(v.node for v in values), *roots])
    total = order[0].graph.version if order else 0
    memory = plan_memory(steps, values)
    feeds = tuple(lowering.feeds)
    # Nodes that are not run are let go: folding leaves large arrays behind.
    run = set(steps)
    located = {tensor: v for tensor, v in found.items() if v is not None and v.node in run}
    return Plan(feeds, tuple(values), memory, counts, len(order), total, misfit, located)


def describe(plan: Plan) -> str:
    """The plan as text: what each pass did, then one line for each step."""
    memory = plan.memory
    overwritten = sum(s.overwrites is not None for s in memory.steps)
    in_place = sum(s.updates_in_place for s in memory.steps)
    lines = [
        f"plan of {len(memory.steps)} steps for {plan.needed} of {plan.total} operations",
        f"  arena: {memory.arena_bytes:,} bytes in {len(memory.slots)} slots for "
        f"{len(memory.buffers)} results; {overwritten} results overwrite an input; "
        f"{in_place} variables updated in place",
    ]
    lines += [f"  {name}: {count}" for name, count in plan.counts.most_common() if count]
    for step in memory.steps:
        node = step.node
        inputs = ", ".join(_reference(v) for v in node.inputs)
        types = ", ".join(
            f"{d.name}{format_entries(s)}" for d, s in zip(node.dtypes, node.shapes, strict=True)
        )
        notes = []
        if step.overwrites is not None:
            notes.append(f"overwrites {_reference(node.inputs[step.overwrites])}")
        if step.buffer is not None:
            notes.append(f"in slot {memory.buffers[step.buffer].slot}")
        if step.updates_in_place:
            notes.append("in place")
        note = f"  [{', '.join(notes)}]" if notes else ""
        lines.append(f"  %{node.number} = {node.type}({inputs}) -> {types}  {node.name}{note}")
    fetched = ", ".join(_reference(v) for v in plan.fetches)
    return "\n".join([*lines, f"  return {fetched}"])


def _reference(value: Value) -> str:
    return f"%{value.node.number}" + (f".{value.index}" if len(value.node.dtypes) > 1 else "")
