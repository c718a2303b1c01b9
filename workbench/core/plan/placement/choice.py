"""The choice of a device for each operation."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.plan.placement.colocation import Group, colocated
from workbench.core.plan.placement.devices import fitting

#: What is shared by the sessions of a cluster, by the names of their operations.
_SHARED = frozenset({"Variable", "VariableV2", "VarHandleOp"})


def choose_devices(
    order: Sequence[Operation], devices: Sequence[str], default: str
) -> dict[Operation, str]:
    """A device for each operation: where it is pinned, else beside what it works on, else the
    default one; variables that are not pinned to one device go to the first one by name.

    InvalidArgumentError for an operation that is pinned to what no device is.
    """
    chosen: dict[Operation, str] = {}
    preferred = [default, *(d for d in devices if d != default)]
    for group in colocated(order):
        found = fitting(preferred, group.wanted)
        if not found:
            raise nowhere(group.who, group.wanted, devices)
        chosen.update(dict.fromkeys(group.members, first_choice(group, found)))
    return chosen


def first_choice(group: Group, found: Sequence[str]) -> str:
    """Where a group goes of the devices that it may be on, the default one first.

    All sessions of a cluster must find a variable at one place, whichever server leads them.
    """
    return min(found) if len(found) > 1 and holds_shared_variable(group) else found[0]


def holds_shared_variable(group: Group) -> bool:
    """Whether there is a variable in a group that is no local one of a session."""
    variables = [op for op in group.members if op.type in _SHARED]
    if not variables:
        return False
    local = variables[0].graph.get_collection(GraphKeys.LOCAL_VARIABLES)
    own = {getattr(variable, "op", None) for variable in local}
    return not own.issuperset(variables)


def nowhere(
    op: Operation, wanted: str, devices: Sequence[str], advice: str = ""
) -> InvalidArgumentError:
    """The error for what is pinned to a device that is not there."""
    return InvalidArgumentError(
        None,
        op,
        f"Cannot assign a device for operation {op.name!r} (at {user_line(op.frames)}): it is "
        f"pinned to {wanted!r}, but available devices are [ {', '.join(devices)} ]. Make "
        f"sure the device specification refers to a valid device. {advice}".rstrip(),
    )
