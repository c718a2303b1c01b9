"""Devices by their full names, and what fits a name that leaves parts open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from workbench.core.graph.device import DeviceSpec

#: There are processors only: what asks for another type runs on one, as with soft placement.
_ONLY_TYPE = "CPU"


def device_name(job: str, task: int, index: int = 0) -> str:
    """The full name of a processor device.

    >>> from workbench.core.plan.placement.devices import device_name
    >>> device_name("ps", 1)
    '/job:ps/replica:0/task:1/device:CPU:0'
    """
    return f"/job:{job}/replica:0/task:{task}/device:{_ONLY_TYPE}:{index}"


def full_name(name: str) -> str:
    """A device's full name, where parts of it may be left out.

    >>> from workbench.core.plan.placement.devices import full_name
    >>> full_name("/job:ps/cpu:1")
    '/job:ps/replica:0/task:0/device:CPU:1'
    """
    spec = DeviceSpec.from_string(name)
    return device_name(spec.job or "localhost", spec.task or 0, spec.device_index or 0)


def task_name(job: str, task: int) -> str:
    """The name of a task, which the names of its devices begin with."""
    return f"/job:{job}/replica:0/task:{task}"


def job_of(task: str) -> str:
    """The job of a task, or of a device, that is given by its full name."""
    return DeviceSpec.from_string(task).job or ""


def task_of(device: str) -> str:
    """The task of a device that is given by its full name."""
    return device.rpartition("/")[0]


@lru_cache(maxsize=4096)
def fits(device: str, wanted: str) -> bool:
    """Whether a device, by its full name, is one that `wanted` may mean.

    The type of a device is not looked at, nor, where it is not that of a processor, its number.

    >>> from workbench.core.plan.placement.devices import fits
    >>> fits("/job:ps/replica:0/task:1/device:CPU:0", "/job:ps/task:1/device:GPU:3")
    True
    """
    if not wanted:
        return True
    have, want = DeviceSpec.from_string(device), DeviceSpec.from_string(wanted)
    fields = ["job", "replica", "task"]
    if want.device_type in (None, _ONLY_TYPE):
        fields.append("device_index")
    return all(getattr(want, f) in (None, getattr(have, f)) for f in fields)


def fitting(devices: Sequence[str], wanted: str) -> list[str]:
    """The devices that a name may mean, in their order."""
    return [d for d in devices if fits(d, wanted)]


def merged(one: str, other: str) -> str | None:
    """The name that says what both say; None where they contradict each other.

    >>> from workbench.core.plan.placement.devices import merged
    >>> merged("/job:ps", "/task:1"), merged("/job:ps", "/job:worker")
    ('/job:ps/task:1', None)
    """
    if not one or not other or one == other:
        return one or other
    first, second = DeviceSpec.from_string(one), DeviceSpec.from_string(other)
    for field in ("job", "replica", "task", "device_type", "device_index"):
        mine, theirs = getattr(first, field), getattr(second, field)
        if mine is not None and theirs is not None and mine != theirs:
            return None
    first.merge_from(second)
    return first.to_string()
