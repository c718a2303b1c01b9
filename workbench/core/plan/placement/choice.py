"""The choice of a device for each operation."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.plan.placement.colocation import Group, colocated
from workbench.core.plan.placement.devices import fitting


def choose_devices(
    order: Sequence[Operation], devices: Sequence[str], default: str
) -> dict[Operation, str]:
    """A device for each operation: where it is pinned, else beside what it works on, else the
    default one.

    InvalidArgumentError for an operation that is pinned to what no device is.
    """
    chosen: dict[Operation, str] = {}
    preferred = [default, *(d for d in devices if d != default)]
    for group in colocated(order):
        found = fitting(preferred, group.wanted)
        if not found:
            raise nowhere(group, devices)
        chosen.update(dict.fromkeys(group.members, found[0]))
    return chosen


def nowhere(group: Group, devices: Sequence[str]) -> InvalidArgumentError:
    """The error for what is pinned to a device that is not there."""
    op = group.who
    return InvalidArgumentError(
        None,
        op,
        f"Cannot assign a device for operation {op.name!r} (at {user_line(op.frames)}): it is "
        f"pinned to {group.wanted!r}, but available devices are [ {', '.join(devices)} ]. Make "
        "sure the device specification refers to a valid device.",
    )
