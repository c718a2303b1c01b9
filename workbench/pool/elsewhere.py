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
    if isinstance(hosts, str) or not all(isinstance(host, str) for host in hosts):
        raise TypeError(f"hosts must be a list of the names of machines, but got {hosts!r}")
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

    The keys of the pool are kept as a secret of the namespace while it is there. Workers are
    reached at the addresses of their pods: a notebook that is to send runs there, and not only to
    scale, runs in the same cluster.

    Args:
      workers, name, devices, seconds: as for `wb.pool.local`.
      image: the image of the pods, which has workbench of this version.
      **options: for dask-kubernetes' `KubeCluster`, as plain data: `namespace`, `resources`,
        `env`, ...
    """
    need("dask-kubernetes", "dask_kubernetes", "wb.pool.kubernetes")
    return start("kubernetes", workers, 1, name, devices, {**options, "image": image}, seconds)


def jobqueue(
    system: str,
    workers: int = 2,
    name: str | None = None,
    *,
    cores: int = 1,
    memory: str = "4 GB",
    devices: int = 1,
    seconds: float = _SECONDS,
    **options: Any,
) -> Pool:
    """A pool of jobs of a queueing system, each of one worker.

    The folder of Workbench's files (WORKBENCH_HOME) is to be one that the jobs see too: their keys
    and logs are below it, for this user only.

    Args:
      system: "SLURM", "PBS", "LSF", "SGE", "HTCondor", "Moab" or "OAR".
      workers, name, devices: as for `wb.pool.local`.
      cores, memory: of each job.
      seconds: how long it may take until all workers serve; a queue may take longer, and
        `workers=0` with a later `scale` waits for none.
      **options: for the class of dask-jobqueue, as plain data: `queue`, `account`, `walltime`, ...
    """
    need("dask-jobqueue", "dask_jobqueue", "wb.pool.jobqueue")
    options = {**options, "system": system, "cores": cores, "memory": memory}
    return start("jobqueue", workers, cores, name, devices, options, seconds)
