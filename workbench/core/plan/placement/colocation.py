"""What must run on one device: groups of operations that share variables, queues and the like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.raw_control_flow import ROUTING
from workbench.core.plan.placement.devices import merged

_PREFIX = "loc:@"


def stays_put(tensor: Tensor) -> bool:
    """Whether a tensor stands for something that lies on a device and cannot leave it."""
    return tensor.dtype._is_ref_dtype or tensor.dtype.base_dtype.name in ("resource", "variant")


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
    than the variable or queue that it works on follows that; InvalidArgumentError where two others
    of a group ask for different devices.
    """
    by_name = {op.name: op for op in order}
    leaders: dict[Operation, Operation] = {op: op for op in order}
    groups = {op: Group(op) for op in order}

    def leader(op: Operation) -> Operation:
        while leaders[op] is not op:
            leaders[op] = leaders[leaders[op]]
            op = leaders[op]
        return op

    for op in order:
        for other in _partners(op, by_name):
            if other not in leaders:
                continue
            one, two = leader(op), leader(other)
            if one is not two:
                leaders[one] = two
                _join(groups[two], groups.pop(one))
    position = {op: i for i, op in enumerate(order)}
    return sorted(groups.values(), key=lambda g: min(position[m] for m in g.members))


def _partners(op: Operation, by_name: dict[str, Operation]) -> Iterator[Operation]:
    for tensor in op.inputs:
        if stays_put(tensor) or op.type in ROUTING or tensor.op.type in ROUTING:
            yield tensor.op
    for name in op.attrs.get("_class", ()):
        text = name.decode() if isinstance(name, bytes) else str(name)
        found = by_name.get(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
        if found is not None:
            yield found


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
