"""The service "runs" of a worker of a pool."""

from __future__ import annotations

import threading
from typing import Any

from workbench.cluster.addresses import canonical
from workbench.cluster.wire.message import Message
from workbench.pool.runs.host import RunHost
from workbench.pool.runs.replicas.terms import Identity
from workbench.pool.statistics.run_log import follow_run

_NAMES = (
    "hello list begin_data add_data end_data start graph follow leave obey close delete "
    "join package piece keeps".split()
)
_lock = threading.Lock()


def host_of(runtime: Any) -> RunHost:
    """The runs of a worker, found again in its folder by the first who asks."""
    with _lock:
        found = runtime.kept.get("runs")
        if found is None:
            folder = runtime.folder / "runs"
            found = runtime.kept["runs"] = RunHost(folder, _identity(runtime), _log_of(runtime))
    assert isinstance(found, RunHost)
    return found


def _log_of(runtime: Any) -> Any:
    """Has the worker's log, where it has one, tell of a run."""
    recording = runtime.kept.get("log")
    if recording is None:
        return None
    return lambda run: follow_run(run, recording.log.write)


def _identity(runtime: Any) -> Identity:
    host = runtime.address.partition("://")[2].rpartition(":")[0]
    return Identity(canonical(runtime.address), f"worker {runtime.index}", host)


def _answering(name: str) -> Any:
    def answer(runtime: Any, message: Message) -> Message:
        return host_of(runtime).answer(name, message)

    return answer


COMMANDS = {name: _answering(name) for name in _NAMES}
