"""What is left of a pool when its processes, or those that started it, are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench import cli
from workbench.pool.errors import PoolError
from workbench.pool.processes import group_members, wait_for
from workbench.pool.records import records

DEADLINE = 60.0
pytestmark = pytest.mark.chaos

_STARTER = """
import time
import workbench as wb
pool = wb.pool.local(1, name="orphan")
print("up", flush=True)
time.sleep(600)
"""


def test_a_pool_outlives_who_started_it(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _STARTER], stdout=subprocess.PIPE) as starter:
        try:
            assert starter.stdout is not None and starter.stdout.readline() == b"up\n"
        finally:
            starter.kill()
    pool = wb.pool.attach("orphan")
    keeper = pool.status()["pid"]
    try:
        assert pool.workers[0].pid in group_members(keeper)
        pool.scale(2)
    finally:
        pool.close()
    assert group_members(keeper) == [] and wb.pools() == []


@pytest.mark.parametrize("seconds", [0.2, 0.5, 0.9, 1.4])
def test_one_that_is_killed_while_it_starts_a_pool_leaves_it_whole(
    home: Path, seconds: float
) -> None:
    program = _STARTER.replace("orphan", "unborn")
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL) as starter:
        time.sleep(seconds)
        starter.kill()
    # Not begun, or complete after a while: never half of it.
    folder = home / "pools" / "unborn"
    wait_for(lambda: list(records()) or not folder.exists(), 10.0)
    for record in list(records()):
        pool = wb.pool.attach(record.name)
        pool.wait_for_workers(1, DEADLINE)
        pool.close()
        assert group_members(record.pid) == []
    assert list(records()) == []


def test_a_dead_pool_is_shown_and_removed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = wb.pool.local(2, name="doomed")
    keeper = pool.status()["pid"]
    os.kill(keeper, signal.SIGKILL)
    assert wait_for(lambda: not pool.is_alive, DEADLINE)
    assert pool.status()["state"] == "dead" and "dead" in repr(pool)
    # Its workers do not stay without it.
    assert wait_for(lambda: not group_members(keeper), DEADLINE)
    with pytest.raises(PoolError):
        pool.scale(1)
    pool.detach()
    with pytest.raises(PoolError, match="'doomed' is dead"):
        wb.pool.attach("doomed")
    [listed] = wb.pools()
    assert listed.status()["state"] == "dead"
    assert cli.main(["pool", "status", "doomed"]) == 1
    assert cli.main(["pool", "stop", "doomed"]) == 0
    assert "stopped doomed" in capsys.readouterr().out
    assert wb.pools() == [] and list((home / "pools").iterdir()) == []


def test_kills_of_workers_are_all_told(home: Path) -> None:
    choose = random.Random(7)
    pool = wb.pool.local(2, name="target")
    try:
        with pool.watch() as watch:
            for _ in range(10):
                victim: Any = choose.choice(pool.workers)
                os.kill(victim.pid, choose.choice([signal.SIGKILL, signal.SIGSEGV]))
                changes = [watch.next(DEADLINE), watch.next(DEADLINE)]
                told = [None if c is None else (c.kind, c.member.index) for c in changes]
                assert told == [("left", victim.index), ("joined", victim.index)]
        assert pool.status()["epoch"] == 2 + 20
        assert [worker.index for worker in pool.workers] == [0, 1]
    finally:
        pool.close()
