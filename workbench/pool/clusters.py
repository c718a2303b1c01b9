"""The clusters of Dask that a pool can be kept on, each by its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from workbench.pool.errors import need
from workbench.pool.keys import Keys
from workbench.pool.nursery import is_used
from workbench.pool.records import pools_folder


@dataclass(frozen=True)
class Request:
    """What is asked of the process that keeps a pool."""

    name: str
    kind: str
    workers: int
    threads: int = 1
    devices: int = 1
    #: `Keys` as texts.
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    #: Whether the wire between workers is locked with keys too.
    locked: bool = True
    #: What else goes to Dask's own class.
    options: dict[str, Any] = field(default_factory=dict)
    #: Where the workers are to find files that are named relative to a folder; "" for their own.
    directory: str = ""

    def security(self) -> Any:
        """The keys as Dask takes them."""
        return Keys(**self.keys).security() if self.keys else None

    def description(self) -> dict[str, Any]:
        """The request as plain data."""
        return asdict(self)


def configure(scratch: Path | None = None) -> None:
    """What holds for all of our clusters: no page of Dask's, and no patience with strangers.

    Files of Dask's own go to `scratch`, where it is given: to a folder that goes with the pool.
    """
    import dask

    from workbench.pool.guard import guard

    guard()
    if scratch is not None:
        dask.config.set({"temporary-directory": str(scratch)})
    dask.config.set(
        {
            # An open page would tell strangers what runs.
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            "distributed.scheduler.worker-ttl": "60s",
            "distributed.admin.tick.limit": "30s",
            # What Dask would tell of itself, a hundred times a second, nobody asks for; and it
            # would take the interpreter from trainings as often.
            "distributed.worker.profile.enabled": False,
            "distributed.admin.tick.interval": "500ms",
            # After so long without a worker its nanny is given up; the keeper starts another.
            "distributed.deploy.lost-worker-timeout": "10s",
        }
    )


def _local(request: Request) -> Any:
    import dask
    from distributed import LocalCluster

    if is_used(request.kind):
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    nobody = "127.0.0.1:0"
    return LocalCluster(
        n_workers=0,
        threads_per_worker=request.threads,
        processes=True,
        host="127.0.0.1",
        protocol="tls://" if request.keys else "tcp://",
        security=request.security(),
        dashboard_address=request.options.get("dashboard"),
        scheduler_kwargs={"dashboard_address": request.options.get("dashboard") or nobody},
        worker_dashboard_address=None,
        # The values are those of our runtime; Dask has nothing to move to the disk.
        memory_limit=0,
        local_directory=str(pools_folder() / request.name / "scratch"),
        asynchronous=True,
    )


def _ssh(request: Request) -> Any:
    need("asyncssh", "asyncssh", "wb.pool.ssh")
    from workbench.pool.ssh_cluster import SshCluster

    return SshCluster(request.name, Keys(**request.keys), request.threads, request.options)


def _kubernetes(request: Request) -> Any:
    need("dask-kubernetes", "dask_kubernetes", "wb.pool.kubernetes")
    from workbench.pool.kubernetes_cluster import kubernetes_cluster

    return kubernetes_cluster(request.name, Keys(**request.keys), request.options)


def _jobqueue(request: Request) -> Any:
    need("dask-jobqueue", "dask_jobqueue", "wb.pool.jobqueue")
    from workbench.pool.jobqueue_cluster import jobqueue_cluster

    folder = pools_folder() / request.name / "jobs"
    return jobqueue_cluster(request.name, Keys(**request.keys), folder, request.options)


_KINDS: dict[str, Callable[[Request], Any]] = {
    "local": _local,
    "ssh": _ssh,
    "kubernetes": _kubernetes,
    "jobqueue": _jobqueue,
}


def make_cluster(request: Request) -> Any:
    """The cluster of a request, to be entered; PoolError where a package for it is missing."""
    configure(pools_folder() / request.name / "scratch")
    return _KINDS[request.kind](request)
