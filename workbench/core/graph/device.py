"""Device names and how nested device scopes merge."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_FIELD = re.compile(r"(job|replica|task|device):(.*)$")


class DeviceSpec:
    """A partial or full device name, such as "/job:worker/task:1/device:CPU:0".

    >>> import workbench as tf
    >>> tf.DeviceSpec.from_string("/job:ps/cpu:0").to_string()
    '/job:ps/device:CPU:0'
    """

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        self.job = job
        self.replica = None if replica is None else int(replica)
        self.task = None if task is None else int(task)
        self.device_type = None if device_type is None else _canonical_type(device_type)
        self.device_index = None if device_index is None else int(device_index)

    @staticmethod
    def from_string(spec: str) -> DeviceSpec:
        """The DeviceSpec of a device name; ValueError when it is not one."""
        return DeviceSpec().parse_from_string(spec)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Replaces every field with what `spec` says and returns self."""
        self.job = self.replica = self.task = self.device_type = self.device_index = None
        for part in filter(None, spec.split("/")):
            match = _FIELD.match(part)
            if match is None:
                name, _, index = part.partition(":")
                if name.lower() not in ("cpu", "gpu", "tpu") or ":" in index:
                    raise ValueError(
                        f"{spec!r} is not a device name: {part!r} is none of job:NAME, replica:N, "
                        "task:N, device:TYPE:N, cpu:N, gpu:N"
                    )
                self._set_device(spec, name, index)
            elif match[1] == "job":
                self.job = match[2]
            elif match[1] == "device":
                name, _, index = match[2].partition(":")
                self._set_device(spec, name, index)
            else:
                if not match[2].isdigit():
                    raise ValueError(f"{spec!r} is not a device name: {part!r} needs a number")
                setattr(self, match[1], int(match[2]))
        return self

    def _set_device(self, spec: str, name: str, index: str) -> None:
        if self.device_type is not None:
            raise ValueError(
                f"{spec!r} is not a device name: Cannot specify multiple device types."
            )
        if index not in ("", "*") and not index.isdigit():
            raise ValueError(f"{spec!r} is not a device name: {index!r} is not a device number")
        self.device_type = None if name == "*" else _canonical_type(name)
        self.device_index = None if index in ("", "*") else int(index)

    def merge_from(self, other: DeviceSpec) -> None:
        """Takes over every field that `other` sets."""
        for field in ("job", "replica", "task", "device_type", "device_index"):
            value = getattr(other, field)
            if value is not None:
                setattr(self, field, value)

    def to_string(self) -> str:
        """The canonical name, "" when nothing is set."""
        name = ""
        if self.job is not None:
            name += f"/job:{self.job}"
        if self.replica is not None:
            name += f"/replica:{self.replica}"
        if self.task is not None:
            name += f"/task:{self.task}"
        if self.device_type is not None:
            index = "*" if self.device_index is None else self.device_index
            name += f"/device:{self.device_type}:{index}"
        return name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())

    def __repr__(self) -> str:
        return f"DeviceSpec({self.to_string()!r})"


def _canonical_type(name: str) -> str:
    return name.upper() if name.lower() in ("cpu", "gpu", "tpu") else name


@lru_cache(maxsize=1024)
def merge_device_names(inner: str, outer: str) -> str:
    """The device of an operation in scope `inner` inside scope `outer`: inner fields win."""
    merged = DeviceSpec.from_string(outer)
    merged.merge_from(DeviceSpec.from_string(inner))
    return merged.to_string()


def merge_device(spec: Any) -> Callable[[Any], str]:
    """A device function that fills in what `spec` says and the operation leaves open."""
    name = canonical_name(spec)
    return lambda op: merge_device_names(op.device or "", name)


def canonical_name(device: Any) -> str:
    """The canonical string of a device name, a DeviceSpec or None."""
    if device is None:
        return ""
    spec = device if isinstance(device, DeviceSpec) else DeviceSpec.from_string(str(device))
    return spec.to_string()
