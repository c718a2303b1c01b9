"""Pools on other machines, thin over the classes of Dask that start workers there.

A process of this machine keeps each of them, as it keeps a local pool, with keys that it makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.pool.errors import need
from workbench.pool.launch import start
from workbench.pool.pool import Pool

#: Machines take their time.
_SECONDS = 300.0


def ssh(
    hosts: Sequence[str],
    threads: int = 1,
    name: str | None = None,
    *,
    devices: int = 1,
    seconds: float = _SECONDS,
    **options: Any,
) -> Pool:
    """A pool on machines that are reached by SSH.

    Args:
      hosts: the machine of the scheduler, then one for each worker; one machine may be named often.
      threads, name, devices, seconds: as for `wb.pool.local`.
      **options: for Dask's `SSHCluster`, as plain data: `connect_options={"username": ...}`,
        `remote_python`, `scheduler_options`, `worker_options`.
    """
    if len(hosts) < 2:
        raise ValueError("A pool by SSH has a machine for the scheduler and one for each worker")
    need("asyncssh", "asyncssh", "wb.pool.ssh")
    options = {**options, "hosts": list(hosts)}
    return start("ssh", len(hosts) - 1, threads, name, devices, options, seconds)


def kubernetes(
    workers: int = 2,
    name: str | None = None,
    *,
    image: str,
    devices: int = 1,
    seconds: float = _SECONDS,
    **options: Any,
) -> Pool:
    """A pool of pods, made by the Dask operator of a Kubernetes cluster.

    Args:
      workers, name, devices, seconds: as for `wb.pool.local`.
      image: the image of the pods, which has workbench of this version.
      **options: for dask-kubernetes' `KubeCluster`, as plain data: `namespace`, `resources`, ...;
        also `env`, which must configure the pods for TLS: one that speaks without is refused.
    """
    need("dask-kubernetes", "dask_kubernetes", "wb.pool.kubernetes")
    return start("kubernetes", workers, 1, name, devices, {**options, "image": image}, seconds)


def jobqueue(
    system: str,
    workers: int = 2,
    name: str | None = None,
    *,
    devices: int = 1,
    seconds: float = _SECONDS,
    **options: Any,
) -> Pool:
    """A pool of jobs of a queueing system.

    Args:
      system: "SLURM", "PBS", "LSF", "SGE", "HTCondor", "Moab" or "OAR".
      workers, name, devices, seconds: as for `wb.pool.local`.
      **options: for the class of dask-jobqueue, as plain data: `cores`, `memory`, `queue`, ...
    """
    need("dask-jobqueue", "dask_jobqueue", "wb.pool.jobqueue")
    return start("jobqueue", workers, 1, name, devices, {**options, "system": system}, seconds)
