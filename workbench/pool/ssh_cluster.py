"""A cluster of Dask's on machines that are reached by SSH."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import Any

from distributed import SpecCluster

from workbench.cluster.addresses import is_loopback
from workbench.pool.errors import PoolError
from workbench.pool.keys import Keys
from workbench.pool.ssh_process import RemoteProcess

_OPTIONS = {"hosts", "connect_options", "remote_python", "scheduler_options", "worker_options"}


class SshCluster(SpecCluster):
    """A scheduler on the first machine, and workers on the others in turn.

    Args:
      name: the pool's name.
      keys: what all of its processes show each other.
      threads: of each worker, for the control plane.
      options: as of Dask's `SSHCluster`: `hosts`, `connect_options` (of all, or one for each
        machine), `remote_python` (likewise), `scheduler_options`, `worker_options`.
    """

    def __init__(self, name: str, keys: Keys, threads: int, options: Mapping[str, Any]) -> None:
        unknown = sorted(set(options) - _OPTIONS)
        if unknown:
            raise PoolError(f"wb.pool.ssh has no option {unknown[0]!r}: {', '.join(_OPTIONS)}")
        hosts = list(options["hosts"])
        connects = _for_each(options.get("connect_options") or {}, hosts, "connect_options")
        pythons = _for_each(options.get("remote_python"), hosts, "remote_python")
        self._machines = [
            {"host": host, "connect": connect, "python": python, "keys": keys, "pool": name}
            for host, connect, python in zip(hosts, connects, pythons, strict=True)
        ]
        self._worker_options = {"nthreads": threads, **(options.get("worker_options") or {})}
        scheduler = _specification(self._machines[0], options.get("scheduler_options") or {})
        worker = _specification(self._machines[1], self._worker_options)
        super().__init__(
            scheduler=scheduler,
            worker=worker,
            security=keys.security(),
            asynchronous=True,
            name=name,
        )

    def remove_files(self) -> None:
        """Has the files of the pool removed on its machines when its processes end."""
        for process in [self.scheduler, *self.workers.values()]:
            if process is not None:
                process.is_last = True

    def new_worker_spec(self) -> dict[Any, Any]:
        """The next worker goes to the machine that has the fewest for the times it is named."""
        [name] = super().new_worker_spec()
        has = collections.Counter(spec["options"]["machine"] for spec in self.worker_spec.values())
        places = range(1, len(self._machines))
        place = min(places, key=lambda index: (has[index], index))
        return {name: _specification(self._machines[place], self._worker_options, place)}


def _for_each(given: Any, hosts: list[str], what: str) -> list[Any]:
    """What is given for all machines, or for each of them."""
    if not isinstance(given, (list, tuple)):
        return [given] * len(hosts)
    if len(given) != len(hosts):
        raise PoolError(f"{what} has {len(given)} entries for {len(hosts)} machines")
    return list(given)


def _specification(
    machine: Mapping[str, Any], options: Mapping[str, Any], place: int = 0
) -> dict[str, Any]:
    # A machine that is this one needs no port that others reach.
    near = {"host": "127.0.0.1"} if is_loopback(machine["host"]) else {}
    return {
        "cls": RemoteProcess,
        "options": {**machine, "options": {**near, **options}, "machine": place},
    }
