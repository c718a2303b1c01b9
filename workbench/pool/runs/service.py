"""The service "runs" of a worker of a pool."""

from __future__ import annotations

import threading
from typing import Any

from workbench.cluster.wire.message import Message
from workbench.pool.runs.host import RunHost

_NAMES = (
    "hello list begin_data add_data end_data start graph follow leave obey close delete".split()
)
_lock = threading.Lock()


def host_of(runtime: Any) -> RunHost:
    """The runs of a worker, found again in its folder by the first who asks."""
    with _lock:
        found = runtime.kept.get("runs")
        if found is None:
            found = runtime.kept["runs"] = RunHost(runtime.folder / "runs")
    assert isinstance(found, RunHost)
    return found


def _answering(name: str) -> Any:
    def answer(runtime: Any, message: Message) -> Message:
        return host_of(runtime).answer(name, message)

    return answer


COMMANDS = {name: _answering(name) for name in _NAMES}
