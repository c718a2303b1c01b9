"""What must run on one device: groups of operations that share variables, queues and the like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.ops.raw_control_flow import ROUTING
from workbench.core.plan.bodies import updated_inputs
from workbench.core.plan.placement.devices import merged
from workbench.core.plan.placement.updates import Updates

_PREFIX = "loc:@"


def stays_put(tensor: Tensor) -> bool:
    """Whether a tensor stands for something that lies on a device and cannot leave it."""
    return tensor.dtype._is_ref_dtype or tensor.dtype.base_dtype.name in ("resource", "variant")


def gives_handles(op: Operation) -> bool:
    """Whether all that an operation gives stands for such things."""
    return bool(op.outputs) and all(stays_put(tensor) for tensor in op.outputs)


class Group:
    """Operations for one device, and what is said of that device."""

    __slots__ = ("is_firm", "members", "wanted", "who")

    def __init__(self, op: Operation) -> None:
        self.members = [op]
        #: The device's name as far as it is given.
        self.wanted = op.device
        #: The member that it was last said of.
        self.who = op
        #: Whether it is said of what lies there, a variable or a queue: others follow it.
        self.is_firm = bool(op.device) and not op.inputs and any(stays_put(t) for t in op.outputs)


def colocated(order: Sequence[Operation]) -> list[Group]:
    """The operations in groups, in the order of their first members.

    Together are: what takes a variable or a resource and what makes it, what says so of itself
    (`tf.colocate_with`), and raw control flow with what it routes. What asks for another device
    than the variable or queue that it works on follows that; what only reads a variable stays
    away where it would bring two devices together, and so do loops and conditionals that give it
    no new value: they take its value, where it is the one that it had when the step began.
    InvalidArgumentError where two others of a group ask for different devices.
    """
    by_name = {op.name: op for op in order}
    updates = Updates(order)
    leaders: dict[Operation, Operation] = {op: op for op in order}
    groups = {op: Group(op) for op in order}

    def leader(op: Operation) -> Operation:
        while leaders[op] is not op:
            leaders[op] = leaders[leaders[op]]
            op = leaders[op]
        return op

    for op in order:
        for other, is_loose in _partners(op, by_name, updates):
            if other not in leaders:
                continue
            one, two = leader(op), leader(other)
            if one is two or (is_loose and _contradict(groups[one], groups[two])):
                continue
            leaders[one] = two
            _join(groups[two], groups.pop(one))
    position = {op: i for i, op in enumerate(order)}
    return sorted(groups.values(), key=lambda g: min(position[m] for m in g.members))


def _partners(
    op: Operation, by_name: dict[str, Operation], updates: Updates
) -> Iterator[tuple[Operation, bool]]:
    """What an operation must be beside, and whether that may be given up: it takes the value."""
    held = _held_inputs(op)
    for index, tensor in enumerate(op.inputs):
        if op.type in ROUTING or tensor.op.type in ROUTING:
            yield tensor.op, False
        elif stays_put(tensor):
            if index in held or updates.precede(op, tensor):
                yield tensor.op, False
            elif op.type not in CONTROL_FLOW:
                yield tensor.op, True
    for name in op.attrs.get("_class", ()):
        text = name.decode() if isinstance(name, bytes) else str(name)
        found = by_name.get(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
        if found is not None:
            yield found, False


def _held_inputs(op: Operation) -> set[int]:
    """The inputs, by number, that are more to an operation than their values."""
    held = {i for i, t in enumerate(op.inputs) if stays_put(t) and not t.dtype._is_ref_dtype}
    if op.type in CONTROL_FLOW:
        updated = set(updated_inputs(op))
        return held | {i for i, t in enumerate(op.inputs) if t in updated}
    declaration = registry.lookup(op.type)
    if declaration is None:
        return set(range(len(op.inputs)))
    if declaration.schema.has_references:
        start = 0
        for argument, count in declaration.schema.split_inputs(op.attrs, len(op.inputs)):
            if argument.is_reference:
                held.update(range(start, start + count))
            start += count
    return held


def _contradict(one: Group, two: Group) -> bool:
    return one.is_firm == two.is_firm and merged(one.wanted, two.wanted) is None


def _join(group: Group, other: Group) -> None:
    """Takes the other group in. What asks for another device than its variable follows that."""
    wanted = merged(group.wanted, other.wanted)
    leading = other if other.is_firm and not group.is_firm else group
    if wanted is None:
        if group.is_firm == other.is_firm:
            raise _contradiction(group, other)
        wanted = leading.wanted
    elif len(other.wanted) > len(group.wanted):
        leading = other
    group.wanted, group.who = wanted, leading.who
    group.is_firm |= other.is_firm
    group.members.extend(other.members)


def _contradiction(group: Group, other: Group) -> InvalidArgumentError:
    said = [
        f"{g.who.name!r} to {g.wanted!r} (at {user_line(g.who.frames)})" for g in (other, group)
    ]
    return InvalidArgumentError(
        None,
        other.who,
        f"Cannot colocate nodes {other.who.name!r} and {group.who.name!r}: they must run on the "
        f"same device, but are pinned {said[0]} and {said[1]}",
    )
