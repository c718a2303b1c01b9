"""What every worker tells of itself."""

from __future__ import annotations

import os
import threading
import time

import psutil

from workbench.cluster.wire.message import Message
from workbench.pool.runtime import Runtime, ServiceCommand


def _about(runtime: Runtime, message: Message) -> Message:
    process = psutil.Process()
    fields = {
        **runtime.facts(),
        "incarnation": runtime.incarnation,
        "memory": process.memory_info().rss,
        "processor_seconds": sum(process.cpu_times()[:2]),
        "threads": threading.active_count(),
        "time": time.time(),
        "parent": os.getppid(),
    }
    return Message("about", fields)


COMMANDS: dict[str, ServiceCommand] = {"about": _about}
