"""Which runs need a dataflow program: all others are straight lines."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.graph.operation import Operation
from workbench.core.ops import registry
from workbench.core.ops.raw_control_flow import ROUTING
from workbench.core.plan.bodies import inner_operations
from workbench.core.plan.partition.stages import frees_nobody

_RAW = ROUTING | {"RefSelect"}


def needs_dataflow(order: Sequence[Operation]) -> bool:
    """True for operations, each after what it needs, that no straight line can run.

    That is where values may be dead or a loop goes round, and where several operations may wait
    for others without an order between them: the one that the first waits for may be the second.
    """
    return any(is_routed(op) for op in order) or _waits_side_by_side(order)


def is_routed(op: Operation) -> bool:
    """True for an operation that decides over dead values and turns."""
    return op.type in _RAW


def _waits_side_by_side(order: Sequence[Operation]) -> bool:
    blocking = [op for op in order if may_wait(op)]
    if len(blocking) < 2 or _may_take_turns(order, blocking):
        return False
    # One bit for each of them: which of them an operation comes after.
    bits = {op: 1 << i for i, op in enumerate(blocking)}
    before: dict[Operation, int] = {}
    seen = 0
    for op in order:
        found = 0
        for needed in (*(t.op for t in op.inputs), *op._control_inputs):
            found |= before.get(needed, 0)
        own = bits.get(op, 0)
        if own:
            if found != seen:
                return True
            seen |= own
        before[op] = found | own
    return False


def _may_take_turns(order: Sequence[Operation], blocking: Sequence[Operation]) -> bool:
    """Whether nothing in a step, or outside, goes on by one of them before the others are done."""
    if not all(frees_nobody(op) for op in blocking):
        return False
    needed = {t.op for op in order for t in op.inputs}.union(*(op._control_inputs for op in order))
    return needed.isdisjoint(blocking)


def may_wait(op: Operation) -> bool:
    """True for an operation that may wait for others, itself or in a body of its."""
    declaration = registry.lookup(op.type)
    if declaration is not None and declaration.blocking:
        return True
    return op.type in CONTROL_FLOW and any(may_wait(inner) for inner in inner_operations(op))
