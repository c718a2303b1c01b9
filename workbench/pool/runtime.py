"""What lives in a worker process for as long as it does: a server, a folder, and services.

A service is a module with `COMMANDS`, functions by name that take the runtime and a message and
return one. It is imported with the first command for it; nothing else can be called from outside.
"""

from __future__ import annotations

import importlib
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.cluster.server import Server
from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError, NotFoundError
from workbench.pool.preparation import Preparation
from workbench.pool.records import pools_folder, private_folder
from workbench.pool.runtime_kind import KIND

#: What a service does with a message.
ServiceCommand = Callable[["Runtime", Message], Message]
#: The services of every worker, and the modules that have their `COMMANDS`.
SERVICES: dict[str, str] = {
    "worker": "workbench.pool.worker_service",
    "runs": "workbench.pool.runs.service",
    "statistics": "workbench.pool.statistics.service",
}

_current: Runtime | None = None


class Runtime:
    """The runtime of this worker process.

    Args:
      pool: the pool's name.
      index: the number of the worker, which is also that of its task.
      host: where it listens.
      devices: how many CPU devices the task has.
    """

    def __init__(self, pool: str, index: int, host: str, devices: int = 1) -> None:
        self.pool = pool
        self.index = index
        #: Where this worker keeps its files; another process of the same number finds them again.
        self.folder: Path = worker_folder(pool, index)
        self.server = Server(
            {"worker": {index: f"{host}:0"}}, "worker", index, config=_config(devices)
        )
        self.server.extensions[KIND] = self._serve
        self.devices = [f"/job:worker/task:{index}/device:CPU:{i}" for i in range(devices)]
        #: What services keep, by their names; closed with the runtime where it has `close`.
        self.kept: dict[str, Any] = {}
        self.preparation = Preparation(self)

    @property
    def address(self) -> str:
        """Where it is reached, which is also the target of sessions on it."""
        return self.server.target

    @property
    def incarnation(self) -> int:
        """Tells this process from earlier ones of the same number."""
        return self.server.task.incarnation

    def facts(self) -> dict[str, Any]:
        """What the pool tells of this worker."""
        return {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "folder": str(self.folder),
            "devices": self.devices,
        }

    def _serve(self, server: Any, message: Message) -> Message:
        service, command = message.fields.get("service"), message.fields.get("command")
        if service == "runs":
            self.preparation.wait()
        found = _commands(service).get(str(command))
        if found is None:
            raise InvalidArgumentError(
                None, None, f"The service {service!r} has no command {command!r}"
            )
        return found(self, message)

    def close(self) -> None:
        """Ends what the services keep, and the server."""
        self.preparation.close()
        for kept in reversed(list(self.kept.values())):
            if hasattr(kept, "close"):
                kept.close()
        self.server.stop()


def _commands(service: Any) -> Mapping[str, ServiceCommand]:
    module = SERVICES.get(service) if isinstance(service, str) else None
    if module is None:
        raise NotFoundError(None, None, f"Workers have no service {service!r}")
    commands: Mapping[str, ServiceCommand] = importlib.import_module(module).COMMANDS
    return commands


def _config(devices: int) -> Any:
    if devices == 1:
        return None
    from workbench.core.protos import ConfigProto

    return ConfigProto(device_count={"CPU": devices})


def worker_folder(pool: str, index: int) -> Path:
    """Where the worker of a number keeps its files, on its own machine."""
    folder = private_folder(pools_folder() / pool)
    return private_folder(private_folder(folder / "workers") / str(index))


def start(
    pool: str, index: int, host: str, devices: int = 1, kept: Mapping[str, Any] | None = None
) -> Runtime:
    """Starts the runtime of this process, with what it keeps. RuntimeError where it has one."""
    global _current
    if _current is not None:
        raise RuntimeError("This process has a runtime already")
    _current = Runtime(pool, index, host, devices)
    _current.kept.update(kept or {})
    return _current


def current() -> Runtime:
    """The runtime of this process. RuntimeError where it is no worker of a pool."""
    if _current is None:
        raise RuntimeError("This process is no worker of a pool")
    return _current


def stop() -> None:
    """Ends the runtime of this process, if it has one."""
    global _current
    runtime, _current = _current, None
    if runtime is not None:
        runtime.close()
