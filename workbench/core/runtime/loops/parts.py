"""The condition and the body of a loop, each compiled as a whole."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.codegen import host
from workbench.core.codegen.translation.lookup import checked_kind
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.planning import plan_regions
from workbench.core.fusion.regions import NAMING
from workbench.core.fusion.repeating import RESHAPES
from workbench.core.plan.memory import Step, plan_memory
from workbench.core.plan.node import CONSTANT, FEED, NodeTable, Value
from workbench.core.plan.plan import Plan
from workbench.core.plan.schedule import schedule
from workbench.core.runtime.region import CompiledRegion
from workbench.core.runtime.tiered import TieredWriter

#: Constants without memory of their own.
_SPLATS = frozenset({"Fill", "ZerosLike", "OnesLike"})


class Part(NamedTuple):
    """A plan as one region, or none where it computes nothing; and its results.

    A result is an output of the region, something fed, or a constant.
    """

    region: CompiledRegion | None
    fetches: tuple[Value, ...]


def compiled_part(plan: Plan, session: Any, threads: int) -> Part:
    """The whole of a plan that only computes and reads variables.

    Raises:
      Unsupported: it is not compiled as a whole, with the reason.
    """
    return _part(with_own_results(plan), session, threads)


def _part(plan: Plan, session: Any, threads: int) -> Part:
    target = host.target()
    assert target is not None
    planned = plan_regions(plan, target)
    fetches = tuple(_origin(value) for value in planned.plan.fetches)
    computing = [
        r for r in planned.regions if r.program is not None or any(_computes(s) for s in r.steps)
    ]
    if any(r.program is None for r in computing) or len(computing) > 1:
        reasons = "; ".join(sorted(set(planned.reasons.values()))[:3])
        raise Unsupported(f"it is not compiled as a whole ({reasons})")
    for region in computing:
        program = region.program
        assert program is not None
        kinds = {a.kind for a in program.arguments}
        changed = {program.arguments[n].kind for n in program.written} - {"output"}
        if not kinds <= {"value", "variable", "output"} or changed or region.updated:
            raise Unsupported("it changes variables")
        feeds = all(a.value.node.type == FEED for a in program.arguments if a.kind == "value")
        if not feeds or any(_computes(s) for s in (*region.before, *region.after)):
            raise Unsupported("it sees values in ways that are not compiled")
        outputs = {a.value for a in program.arguments if a.kind == "output"}
        computed = [v for v in fetches if v.node.type not in (FEED, CONSTANT)]
        if not set(computed) <= outputs:
            raise Unsupported("it sees values in ways that are not compiled")
    writer = TieredWriter(planned, session, threads)
    writer.write()
    return Part(writer.regions[0] if writer.regions else None, fetches)


def with_own_results(plan: Plan) -> Plan:
    """The plan with copies of those results that only see what was computed in another way.

    What is fed, and a part of it, is copied as well where that is no whole.
    """
    table: NodeTable | None = None
    fetches = list(plan.fetches)
    for number, value in enumerate(plan.fetches):
        origin = _origin(value)
        if origin.node.type in (FEED, CONSTANT) or not _is_view(origin):
            continue
        table = table or NodeTable(1 + max(s.node.number for s in plan.memory.steps))
        dtype = value.dtype.base_dtype
        attrs = {"SrcT": dtype, "DstT": dtype, "Truncate": False}
        made = table.make("Cast", (value,), attrs, (dtype,), (value.entries,), value.node.origin)
        fetches[number] = made.output()
    if table is None:
        return plan
    memory = plan_memory(schedule([v.node for v in fetches]), fetches)
    return plan._replace(fetches=tuple(fetches), memory=memory)


def _is_view(value: Value) -> bool:
    node = value.node
    if node.type in _SPLATS:
        return True
    try:
        return checked_kind(node) == "view"
    except Unsupported:
        return False


def _computes(step: Step) -> bool:
    return step.node.type not in NAMING and step.node.type not in RESHAPES


def _origin(value: Value) -> Value:
    """The value that has the elements of another one, in the same order."""
    while value.node.type in RESHAPES:
        value = value.node.inputs[0]
    return value
