"""The devices of this process."""

from __future__ import annotations

import os
from typing import Any, NamedTuple


class Device(NamedTuple):
    """One device: name, type and memory in bytes."""

    name: str
    device_type: str
    memory_limit_bytes: int


def local_devices(config: Any = None) -> list[Device]:
    """The processor devices of a session of this process: one, or as many as its options say.

    All of them are the same processors.

    >>> import workbench as tf
    >>> config = tf.ConfigProto(device_count={"CPU": 2})
    >>> [device.name for device in local_devices(config)][1]
    '/job:localhost/replica:0/task:0/device:CPU:1'
    """
    memory = 0
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    count = max(config.device_count.get("CPU", 0), 1) if config is not None else 1
    task = "/job:localhost/replica:0/task:0"
    return [Device(f"{task}/device:CPU:{number}", "CPU", memory) for number in range(count)]
