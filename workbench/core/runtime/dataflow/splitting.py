"""Runs of which only the beginning has to wait: the rest of them is a straight line, compiled.

A training step that takes from two queues, or takes from one and fills another, waits side by side
for a few operations only. What these need runs as a dataflow, then all else as an ordinary run to
which their results are fed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from workbench.core.graph.body_graph import VARIABLES, variable_of
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.bodies import updated_inputs
from workbench.core.runtime.dataflow.choice import is_routed, may_wait
from workbench.core.runtime.program import Program

#: It takes so many operations after the last wait to be worth a run of their own.
_WORTHWHILE = 8
#: Operations that are cheap to have in both parts.
_FREE = VARIABLES | {"Const", "Placeholder", "PlaceholderV2", "NoOp"}


class Split(NamedTuple):
    """The two parts of a run."""

    #: What may wait and all that it needs, each after what it needs.
    first: list[Operation]
    #: What the second part takes from the first.
    handed: list[Tensor]


def split(order: Sequence[Operation], fed: Sequence[Tensor]) -> Split | None:
    """The two parts of a run; None where it cannot be cut, or where that is not worthwhile."""
    if any(is_routed(op) for op in order):
        return None
    first = _needed([op for op in order if may_wait(op)], set(fed)).intersection(order)
    rest = [op for op in order if op not in first and op.type not in _FREE]
    if len(rest) < _WORTHWHILE or any(updated_inputs(op) for op in first):
        return None
    handed: dict[Tensor, None] = {}
    for op in rest:
        if any(c in first and c.type not in _FREE for c in op._control_inputs):
            return None
        if _has_effects_elsewhere(op):
            return None
        for tensor in op.inputs:
            if tensor in fed or tensor.op not in first or tensor.op.type in _FREE:
                continue
            if not _can_be_handed(tensor):
                return None
            handed[tensor] = None
    return Split([op for op in order if op in first], list(handed))


def _needed(roots: Sequence[Operation], fed: set[Tensor]) -> set[Operation]:
    found = set(roots)
    waiting = list(roots)
    while waiting:
        op = waiting.pop()
        for before in (*(t.op for t in op.inputs if t not in fed), *op._control_inputs):
            if before not in found:
                found.add(before)
                waiting.append(before)
    return found


def _has_effects_elsewhere(op: Operation) -> bool:
    """True for operations on queues, tables and the like: somebody may wait for what they do."""
    declaration = registry.lookup(op.type)
    if declaration is None:
        return True
    return declaration.stateful and any(
        not _can_be_handed(t) and variable_of(t) is None for t in op.inputs
    )


def _can_be_handed(tensor: Tensor) -> bool:
    return not tensor.dtype._is_ref_dtype and tensor.dtype.name not in ("resource", "variant")


def split_program(
    parts: Split,
    fetches: Sequence[Tensor],
    targets: Sequence[Operation],
    fed: Sequence[Tensor],
    session: Any,
) -> Program:
    """The program of a run in two parts."""
    from workbench.core.runtime.dataflow.building import dataflow_program

    inside = set(parts.first)
    early = [t for t in fetches if t.op in inside and t not in parts.handed and t not in fed]
    early = [t for t in early if t.op.type not in _FREE]
    taken = [*parts.handed, *early]
    waits = [op for op in parts.first if may_wait(op)]
    begun = [*waits, *(op for op in targets if op in inside)]
    start = dataflow_program(parts.first, taken, begun, fed, session)
    late = [t for t in fetches if t not in taken]
    rest = _Rest(session, late, [op for op in targets if op not in inside], [*fed, *parts.handed])
    place = {t: i for i, t in enumerate([*taken, *late])}
    order = [place[t] for t in fetches]
    count = len(parts.handed)

    def run(*values: Any) -> tuple[Any, ...]:
        given = start.run(*values)
        found = (*given, *rest.run([*values, *given[:count]]))
        return tuple([found[i] for i in order])

    return start._replace(run=run)


class _Rest:
    """The second part: an ordinary run, which is compiled as any other."""

    def __init__(
        self,
        session: Any,
        fetches: Sequence[Tensor],
        targets: Sequence[Operation],
        fed: Sequence[Tensor],
    ) -> None:
        from workbench.core.runtime.cache import RunSignature
        from workbench.core.runtime.fetches import FetchPlan

        plan = FetchPlan(session.graph, [*fetches, *targets])
        self._fed = list(fed)
        self._signature = RunSignature(session, plan, self._fed, False)

    def run(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """The fetched values, each once."""
        feeds = dict(zip(self._fed, values, strict=True))
        program, given = self._signature.prepare(feeds)
        found: tuple[Any, ...] = program.run(*given)
        return found
