"""Stages: what one device does of a step between two exchanges with others.

A stage is an ordinary step, from tensors that it takes to tensors that it gives, and is run as
such. It begins when everything it takes is there. Stages come in levels: an operation's is the
number of changes on the longest way to it, from one device to another, or between what may wait for
others and what may not: so that what computes is compiled as a whole, and needs no thread that may
wait. Each stage needs stages of lower levels only, so that no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.partition.copied import is_copied, is_known
from workbench.core.plan.partition.far_reads import far_reads
from workbench.core.plan.placement.colocation import stays_put


@dataclass(eq=False)
class Stage:
    """A part of a step on one device."""

    number: int
    device: str
    operations: list[Operation] = field(default_factory=list)
    #: What other stages, or the user, make and this one uses; in the order of first use.
    takes: dict[Tensor, None] = field(default_factory=dict)
    #: What this one makes for other stages or for the user.
    gives: dict[Tensor, None] = field(default_factory=dict)
    #: Stages that must have run before, whatever they give.
    after: dict[int, None] = field(default_factory=dict)
    #: Whether an operation of it may wait for what others do.
    may_wait: bool = False


def make_stages(
    order: Sequence[Operation],
    devices: Mapping[Operation, str],
    fed: Iterable[Tensor],
    fetches: Sequence[Tensor],
    may_wait: Callable[[Operation], bool],
) -> tuple[list[Stage], dict[Operation, Stage]]:
    """The stages of a step, each after those that it needs, and the stage of each operation.

    `order` has the operations that must run, each after what it needs, and `devices` a device for
    each. What may wait for others has stages of its own where nothing connects it with the rest of
    its level, so that the rest does not wait with it.
    """
    given = set(fed)
    wanted = {t.op for t in fetches if t not in given}
    wanted |= far_reads(order, devices, given)
    placed = [op for op in order if not is_copied(op) or op in wanted]
    levels = _levels(placed, devices, given, may_wait)
    stages, stage_of = _group(placed, devices, levels, given, may_wait)
    for op in placed:
        stage = stage_of[op]
        for tensor in op.inputs:
            if tensor in given:
                stage.takes[tensor] = None
                continue
            source = stage_of.get(tensor.op)
            if source is None or source is stage:
                continue
            if is_copied(tensor.op) and source.device == stage.device:
                continue
            if stays_put(tensor) and source.device == stage.device and is_known(tensor):
                stage.after[source.number] = None
            else:
                stage.takes[tensor] = None
                source.gives[tensor] = None
        for control in op._control_inputs:
            before = stage_of.get(control)
            if before is not None and before is not stage:
                stage.after[before.number] = None
    for tensor in fetches:
        if tensor not in given:
            stage_of[tensor.op].gives[tensor] = None
    return stages, stage_of


def _levels(
    order: Sequence[Operation],
    devices: Mapping[Operation, str],
    given: set[Tensor],
    may_wait: Callable[[Operation], bool],
) -> dict[Operation, int]:
    levels: dict[Operation, int] = {}
    waits = {op for op in order if may_wait(op)}
    for op in order:
        device = devices[op]
        level = 0
        # What stays where it is, a variable itself, is used in the stage that has it.
        before = [(t.op, stays_put(t)) for t in op.inputs if t not in given]
        for other, is_held in (*before, *((c, False) for c in op._control_inputs)):
            found = levels.get(other)
            if found is None or (is_copied(other) and devices[other] == device):
                continue
            changes = (other in waits) != (op in waits) and not is_held
            level = max(level, found + (devices[other] != device or changes))
        levels[op] = level
    return levels


def _group(
    order: Sequence[Operation],
    devices: Mapping[Operation, str],
    levels: Mapping[Operation, int],
    given: set[Tensor],
    may_wait: Callable[[Operation], bool],
) -> tuple[list[Stage], dict[Operation, Stage]]:
    by_place: dict[tuple[int, str], list[Operation]] = {}
    for op in order:
        by_place.setdefault((levels[op], devices[op]), []).append(op)
    places = sorted(by_place.items(), key=lambda item: item[0][0])
    parts = [(place, part) for place, found in places for part in _parts(found, given, may_wait)]
    stages: list[Stage] = []
    stage_of: dict[Operation, Stage] = {}
    for (_, device), part in _joined(order, parts, given, may_wait):
        stage = Stage(len(stages), device, part, may_wait=any(may_wait(op) for op in part))
        stages.append(stage)
        stage_of.update(dict.fromkeys(part, stage))
    return stages, stage_of


_Placed = tuple[tuple[int, str], list[Operation]]


def _joined(
    order: Sequence[Operation],
    parts: Sequence[_Placed],
    given: set[Tensor],
    may_wait: Callable[[Operation], bool],
) -> list[_Placed]:
    """The parts, those as one that may wait one after another: each has a thread while it waits.

    That is where nobody goes on by one of them: not who waits for what it takes, and no other part,
    for all that need one need the others.
    """
    part_of = {op: i for i, (_, part) in enumerate(parts) for op in part}
    users: dict[int, set[int]] = {}
    for op in order:
        before = [t.op for t in op.inputs if t not in given]
        for other in (*before, *op._control_inputs):
            if other in part_of and part_of[other] != part_of[op]:
                users.setdefault(part_of[other], set()).add(part_of[op])
    joined: dict[tuple[Any, ...], _Placed] = {}
    for i, (place, part) in enumerate(parts):
        waits = [op for op in part if may_wait(op)]
        is_patient = i in users and waits and all(frees_nobody(op) for op in waits)
        key = (place, frozenset(users[i])) if is_patient else (i,)
        joined.setdefault(key, (place, []))[1].extend(part)
    return list(joined.values())


def _parts(
    operations: list[Operation], given: set[Tensor], may_wait: Callable[[Operation], bool]
) -> list[list[Operation]]:
    """The operations, apart where something waits and nothing connects them with it."""
    if not any(may_wait(op) for op in operations):
        return [operations]
    parts = _connected(operations, given)
    waiting = [p for p in parts if any(may_wait(op) for op in p)]
    others = {op for p in parts for op in p} - {op for p in waiting for op in p}
    rest = [op for op in operations if op in others]
    return [*([rest] if rest else []), *waiting]


def _connected(operations: list[Operation], given: set[Tensor]) -> list[list[Operation]]:
    inside = set(operations)
    number: dict[Operation, int] = {}
    parts: dict[int, list[Operation]] = {}
    for op in operations:
        before = [t.op for t in op.inputs if t not in given]
        near = {number[o] for o in (*before, *op._control_inputs) if o in inside and o in number}
        chosen = min(near, default=len(number))
        joined = parts.setdefault(chosen, [])
        for other in near - {chosen}:
            for moved in parts[other]:
                number[moved] = chosen
            joined.extend(parts.pop(other))
        joined.append(op)
        number[op] = chosen
    position = {op: i for i, op in enumerate(operations)}
    return [sorted(p, key=position.__getitem__) for p in parts.values()]


def frees_nobody(op: Operation) -> bool:
    """True for an operation that waits, and by which nobody else goes on who waits."""
    declaration = registry.lookup(op.type)
    return declaration is not None and declaration.frees_nobody


def has_effect(op: Operation) -> bool:
    """Whether an operation does something beside giving its outputs."""
    declaration = registry.lookup(op.type)
    return declaration is None or declaration.stateful
