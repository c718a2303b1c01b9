"""Starts pools that outlive this process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import workbench
from workbench.pool.clusters import Request
from workbench.pool.counts import check_counts
from workbench.pool.errors import PoolError, need
from workbench.pool.keeper import REQUEST
from workbench.pool.keys import Keys
from workbench.pool.listing import open_pool
from workbench.pool.pool import Pool
from workbench.pool.processes import alive, end_group, identity
from workbench.pool.records import (
    FAILURE,
    LOG,
    Record,
    claim,
    end_for_good,
    find,
    pools_folder,
    read,
    remove_folder,
    write_private,
)

#: How long a pool may take to start, in seconds.
START_SECONDS = 60.0
#: How long what failed to start may take to end in order: machines far away need it.
_END_SECONDS = 20.0
_LAST_LINES = 15


def local(
    workers: int = 2,
    threads: int = 1,
    name: str | None = None,
    *,
    devices: int = 1,
    locked: bool = True,
    dashboard: bool = False,
    seconds: float = START_SECONDS,
) -> Pool:
    """A pool of processes of this machine, which stay when this process ends.

    Files with relative names are found from the folder that this process is in now.

    Args:
      workers: how many there are; `pool.scale` changes it.
      threads: the threads that the control plane may use in each; not those of training.
      name: the pool's name; one that is free where it is left out.
      devices: how many CPU devices each worker's task has.
      locked: whether the wire needs keys too, which keeps out other users of this machine. Sessions
        of a process that uses the pool show them; another one needs `pool.wire_keys`.
      dashboard: whether Dask's own pages are served (to this machine).
      seconds: how long it may take until all workers serve.

    Raises:
      PoolError: it did not start; the message has the end of its log.
    """
    options: dict[str, Any] = {"dashboard": "127.0.0.1:0"} if dashboard else {}
    return start("local", workers, threads, name, devices, options, seconds, locked)


def start(
    kind: str,
    workers: int,
    threads: int,
    name: str | None,
    devices: int,
    options: dict[str, Any],
    seconds: float,
    locked: bool = True,
) -> Pool:
    """Starts the process that keeps a pool of any kind, and waits until its workers serve.

    `local` says what the arguments mean. Nothing is left of a start that fails.
    """
    check_counts(workers, threads, devices)
    need("distributed", "distributed", "A pool of workers")
    deadline = time.monotonic() + seconds
    claimed = claim(name, kind)
    try:
        keys = asdict(Keys.make())
        directory = ""
        if kind == "local":
            with suppress(FileNotFoundError):
                directory = os.getcwd()
        request = Request(
            claimed, kind, workers, threads, devices, keys, locked, options, directory
        )
        write_private(pools_folder() / claimed / REQUEST, request.description())
        return _started(claimed, workers, deadline, is_new=True)
    except BaseException as error:
        remove_folder(claimed)
        if isinstance(error, OSError):
            raise PoolError(f"The pool {claimed!r} did not start: {error}") from error
        raise


def restart(name: str | None = None, *, seconds: float = START_SECONDS) -> Pool:
    """Starts a dead pool again, on the folders of its workers: their runs go on.

    Args:
      name: the pool's name; the only one where it is left out.
      seconds: how long it may take until all workers serve.

    Raises:
      PoolError: the pool is unknown, is alive, or does not start; it may be tried again then.
    """
    need("distributed", "distributed", "A pool of workers")
    record = find(name)
    if record.is_alive:
        raise PoolError(f"The pool {record.name!r} is alive: wb.pool.attach({record.name!r})")
    # What its processes may have left.
    end_group(record.pid, record.identity)
    try:
        asked = json.loads((record.folder / REQUEST).read_bytes())
        workers = int(asked["workers"])
    except (OSError, ValueError, KeyError, TypeError):
        raise PoolError(
            f"The pool {record.name!r} has not left what it takes to start it again: "
            f"`workbench pool stop {record.name}` removes what is left"
        ) from None
    try:
        return _started(record.name, workers, time.monotonic() + seconds)
    except OSError as error:
        raise PoolError(f"The pool {record.name!r} did not start: {error}") from error


def _started(name: str, workers: int, deadline: float, is_new: bool = False) -> Pool:
    """Starts the process of a pool by what is in its folder; ended where that fails."""
    folder = pools_folder() / name
    (folder / FAILURE).unlink(missing_ok=True)
    pid, known = 0, ""
    try:
        pid = _spawn(folder)
        known = identity(pid)
        # What this process needs of the control plane is loaded while the pool starts.
        import distributed  # noqa: F401

        pool = open_pool(_awaited(name, pid, known, deadline))
        pool.wait_for_workers(workers, max(deadline - time.monotonic(), 0.1), is_patient=False)
        return pool
    except BaseException:
        if is_new:
            end_for_good(name)
        if pid:
            end_group(pid, known, _END_SECONDS)
        raise


#: Starts a process that is nobody's child, so that nobody has to wait for its end.
_LAUNCHER = """
import subprocess, sys
with open(sys.argv[1], "ab") as log:
    process = subprocess.Popen(
        sys.argv[2:],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
print(process.pid)
"""


def _spawn(folder: Path) -> int:
    """Starts the process that keeps a pool; its number."""
    root = str(Path(workbench.__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        # What workers compute has threads of its own.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_TRIM_THRESHOLD_": "65536",
    }
    keeper = [sys.executable, "-m", "workbench.pool.keeper", str(folder)]
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(folder / LOG), *keeper],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=folder,
        env=environment,
        timeout=START_SECONDS,
        check=True,
    )
    return int(launched.stdout)


def _awaited(name: str, pid: int, known: str, deadline: float) -> Record:
    """The record of a pool that starts. PoolError where there is none in time."""
    while True:
        record = read(name)
        # The record of an earlier process may be there still.
        if record is not None and record.pid == pid and record.address:
            return record
        folder = pools_folder() / name
        if not alive(pid, known):
            raise PoolError(f"The pool {name!r} did not start: {_reason(folder)}")
        if time.monotonic() > deadline:
            raise PoolError(f"The pool {name!r} did not start in time: {_reason(folder)}")
        time.sleep(0.02)


def _reason(folder: Path) -> str:
    try:
        return (folder / FAILURE).read_text()
    except OSError:
        pass
    try:
        if shutil.disk_usage(folder).free == 0:
            return f"the disk of {folder} is full"
        lines = (folder / LOG).read_text(errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return "\n".join(["the end of its log:", *lines[-_LAST_LINES:]])
