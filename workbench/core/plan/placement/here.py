"""The devices of this process that operations ask for, and whether there are such."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.core.graph.device import DeviceSpec
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.plan.bodies import inner_operations
from workbench.core.plan.placement.choice import nowhere
from workbench.core.plan.placement.devices import fits, fitting


def may_pin(graph: Graph) -> bool:
    """Whether any operation may be pinned; what is not pinned need not be looked for step by step.

    What is inside of conditionals and loops is not looked at.
    """
    operations = graph.get_operations()
    return graph._last_id > len(operations) or any(op.device for op in operations)


def check_devices(order: Iterable[Operation], devices: Sequence[str], soft: bool) -> None:
    """Refuses operations, those in conditionals and loops too, that are pinned elsewhere.

    Args:
      order: the operations.
      devices: the full names of this process's devices.
      soft: whether those that ask for another processor of this process run on one that there is
        (`allow_soft_placement`). Another job, replica or task is never taken for this one.

    Raises:
      InvalidArgumentError: with the line of the first operation that is refused.
    """
    known = {"": True}
    for op in order:
        wanted = op.device
        if wanted not in known:
            known[wanted] = any(fits(d, _task(wanted) if soft else wanted) for d in devices)
        if not known[wanted]:
            raise nowhere(op, wanted, devices, _advice(wanted, devices))
        check_devices(inner_operations(op), devices, soft)


def devices_here(order: Iterable[Operation], devices: Sequence[str]) -> dict[Operation, str]:
    """The device of this process that each operation is pinned to; the first one for all others."""
    return {op: (fitting(devices, op.device) or devices)[0] for op in order}


def _task(wanted: str) -> str:
    """What a name says of the task."""
    spec = DeviceSpec.from_string(wanted)
    return DeviceSpec(job=spec.job, replica=spec.replica, task=spec.task).to_string()


def _advice(wanted: str, devices: Sequence[str]) -> str:
    if any(fits(d, _task(wanted)) for d in devices):
        return (
            "A session has as many processors as tf.ConfigProto(device_count={'CPU': ...}) says; "
            "with allow_soft_placement=True operations make do with those that there are."
        )
    return (
        "A session without a target runs in this process alone: give it the address of a server "
        "of the cluster, tf.Session('tcp://host:port')."
    )
