"""Pools of jobs of a queueing system: SLURM's commands, which here start processes at once."""

from __future__ import annotations

import importlib.util
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.pool import leftovers
from workbench.pool.errors import PoolError
from workbench.pool.processes import wait_for

pytestmark = [
    pytest.mark.slow,
    # Not imported here: it takes Ctrl-C over, in all tests.
    pytest.mark.skipif(not importlib.util.find_spec("dask_jobqueue"), reason="no dask-jobqueue"),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
]
DEADLINE = 100.0
# Dask's scheduler is to be reached by jobs elsewhere; these are here.
OPTIONS = {"scheduler_options": {"host": "127.0.0.1"}, "seconds": DEADLINE}


@pytest.fixture(scope="module")
def queue(home: Path) -> Iterator[str]:
    mark = f"jobs-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(leftovers.VARIABLE, mark)
        patch.setenv("PATH", str(Path(__file__).parent / "queueing"), prepend=os.pathsep)
        try:
            yield mark
        finally:
            leftovers.kill_marked(mark)


@pytest.fixture(scope="module")
def pool(queue: str) -> Iterator[Any]:
    pool = wb.pool.jobqueue("SLURM", 1, name="queued", memory="1 GB", **OPTIONS)
    try:
        yield pool
    finally:
        pool.close()


def test_a_job_is_a_worker(pool: Any, home: Path) -> None:
    assert pool.kind == "jobqueue" and pool.address.startswith("tls://127.0.0.1:")
    [worker] = pool.workers
    assert worker.call("worker", "about", seconds=DEADLINE).fields["pid"] == worker.pid
    assert pool.wire_keys is not None
    jobs = home / "pools" / "queued" / "jobs"
    assert stat.S_IMODE(jobs.stat().st_mode) == 0o700
    keys = [path for path in jobs.iterdir() if path.name.startswith(".dask-jobqueue.worker.")]
    assert len(keys) == 3 and {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_scales_by_jobs(pool: Any) -> None:
    pool.scale(2)
    assert [worker.index for worker in pool.workers] == [0, 1]
    pool.scale(1)
    assert len(pool.workers) == 1


def test_a_job_that_ends_is_submitted_again(pool: Any, queue: str) -> None:
    [worker] = pool.workers
    jobs = [pid for pid in leftovers.marked(queue) if "dask_worker" in leftovers.command(pid)]
    with pool.watch() as watch:
        for pid in jobs:
            os.kill(pid, signal.SIGKILL)
        told = [watch.next(DEADLINE) for _ in range(2)]
    assert [change.kind for change in told if change] == ["left", "joined"]
    assert pool.workers[0].pid != worker.pid


def test_its_end_leaves_nothing(pool: Any, queue: str, home: Path) -> None:
    pool.close()
    assert wait_for(lambda: not leftovers.marked(queue), DEADLINE)
    assert list((home / "pools").iterdir()) == []


@pytest.mark.parametrize(
    "system, options, message",
    [
        ("SLIRM", {}, "no queueing system 'SLIRM'; it knows HTCondor, LSF"),
        ("SLURM", {"nonsense": 1}, "'nonsense'"),
        ("SLURM", {"processes": 2}, "A job has one worker"),
    ],
)
def test_what_is_wrong_is_said_and_leaves_nothing(
    queue: str, home: Path, system: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(PoolError, match=message):
        wb.pool.jobqueue(system, 1, name="wrong", **{**OPTIONS, **options})
    assert wait_for(lambda: not leftovers.marked(queue), DEADLINE)
    assert list((home / "pools").iterdir()) == []


def test_a_queue_that_refuses_is_told(
    queue: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_TEST_QUEUE_IS_CLOSED", "1")
    with pytest.raises(PoolError, match="the queue is closed"):
        wb.pool.jobqueue("SLURM", 1, name="refused", **OPTIONS)
    assert wait_for(lambda: not leftovers.marked(queue), DEADLINE)
