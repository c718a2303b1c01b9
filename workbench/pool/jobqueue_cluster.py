"""A cluster of Dask's whose workers are jobs of a queueing system."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.pool.errors import PoolError
from workbench.pool.keys import Keys
from workbench.pool.records import private_folder


def jobqueue_cluster(name: str, keys: Keys, folder: Path, options: Mapping[str, Any]) -> Any:
    """A cluster, not started, whose scheduler is in this process.

    Args:
      name: the pool's name.
      keys: what its processes show each other; the jobs find them in files.
      folder: where those files and the jobs' logs are, for this user only.
      options: `system`, and what else goes to the class of dask-jobqueue.
    """
    dask_jobqueue = _imported()
    given = dict(options)
    system = str(given.pop("system"))
    made = getattr(dask_jobqueue, f"{system}Cluster", None)
    if made is None or not hasattr(made, "job_cls"):
        known = sorted(
            known.removesuffix("Cluster")
            for known in dir(dask_jobqueue)
            if known.endswith("Cluster") and hasattr(getattr(dask_jobqueue, known), "job_cls")
        )
        raise PoolError(
            f"dask-jobqueue knows no queueing system {system!r}; it knows {', '.join(known)}"
        )
    if given.setdefault("processes", 1) != 1:
        raise PoolError("A job has one worker: leave processes out, and ask for more workers")
    private_folder(folder)
    quiet = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    given["scheduler_options"] = {**quiet, **(given.get("scheduler_options") or {})}
    given["worker_extra_args"] = ["--no-dashboard", *(given.get("worker_extra_args") or [])]
    given.setdefault("log_directory", str(folder))
    given.setdefault("local_directory", str(folder))
    try:
        return made(
            **given,
            name=name,
            protocol="tls://",
            security=keys.security(),
            shared_temp_directory=str(folder),
            n_workers=0,
            asynchronous=True,
        )
    except (TypeError, ValueError) as error:
        raise PoolError(f"wb.pool.jobqueue({system!r}): {error}") from None


def _imported() -> Any:
    """dask-jobqueue, with Ctrl-C as it was: the package takes it over when it is imported."""
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        import dask_jobqueue
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return dask_jobqueue
