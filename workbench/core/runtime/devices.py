"""The devices of this process."""

from __future__ import annotations

import os
from typing import NamedTuple


class Device(NamedTuple):
    """One device: name, type and memory in bytes."""

    name: str
    device_type: str
    memory_limit_bytes: int


def local_devices() -> list[Device]:
    """The one processor device that programs run on."""
    memory = 0
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return [Device("/job:localhost/replica:0/task:0/device:CPU:0", "CPU", memory)]
