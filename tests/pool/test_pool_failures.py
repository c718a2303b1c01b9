"""Pools whose schedulers, keepers and workers fail, and those whom two processes steer."""

from __future__ import annotations

import os
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

DEADLINE = 100.0
pytestmark = pytest.mark.chaos


def _train(pool: Any, steps: int, **options: Any) -> Any:
    with wb.Graph().as_default():
        w = wb.Variable(0.0, name="w")
        train_op = wb.assign_add(w, 1.0)
        return wb.run(train_op, steps=steps, track={"w": w}, pool=pool, **options)


def test_a_dead_pool_is_restarted_with_its_runs(home: Path, capsys: Any) -> None:
    pool = wb.pool.local(1, name="again")
    try:
        run = _train(pool, 10**9, name="long", checkpoint_steps=5000)
        assert wait_for(lambda: run.step_number > 20_000, DEADLINE)
        keeper = pool.pid
        os.kill(keeper, signal.SIGKILL)
        assert wait_for(lambda: not group_members(keeper), DEADLINE)
        assert pool.status()["state"] == "dead" and "dead" in repr(pool)
        pool.detach()
        assert cli.main(["pool", "restart", "again"]) == 0
        assert "1 worker" in capsys.readouterr().out
        pool = wb.pool.attach("again")
        assert pool.pid != keeper
        with pytest.raises(PoolError, match="is alive"):
            wb.pool.restart("again")
        [taken_up] = pool.runs()
        assert taken_up.name == "long"
        begun = taken_up.step_number
        assert begun >= 5000 and wait_for(lambda: taken_up.step_number > begun, DEADLINE)
        taken_up.stop()
    finally:
        pool.close()
    assert list((home / "pools").iterdir()) == []


def test_one_that_dies_as_soon_as_it_serves_is_not_started_in_a_loop(home: Path) -> None:
    pool = wb.pool.local(1, name="sickly")
    try:
        for _ in range(4):
            os.kill(pool.workers[0].pid, signal.SIGKILL)
            assert wait_for(lambda: not pool.workers, DEADLINE)
            pool.wait_for_workers(1, DEADLINE)
        os.kill(pool.workers[0].pid, signal.SIGKILL)
        assert wait_for(lambda: _waiting(pool), DEADLINE)
        [told], shown = _waiting(pool), repr(pool)
        assert (told["deaths"], told["index"]) == (5, 0)
        assert "0 of 1 worker" in shown and "worker 0 died early 5 times" in shown
        # Its life goes on.
        pool.wait_for_workers(1, DEADLINE)
    finally:
        pool.close()


def _waiting(pool: Any) -> list[Any]:
    return list(pool.status()["waiting"])


_OTHER = """
import sys
import workbench as wb
pool = wb.pool.attach("shared")
print("ready", flush=True)
for line in sys.stdin:
    try:
        pool.scale(int(line))
        print("done", flush=True)
    except wb.pool.PoolError as error:
        print(error, flush=True)
"""


def test_two_processes_steer_at_once(home: Path) -> None:
    pool = wb.pool.local(1, name="shared")
    try:
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _OTHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other:
            try:
                assert other.stdin is not None and other.stdout is not None
                assert other.stdout.readline() == "ready\n"
                for mine, theirs in [(2, 3), (3, 1), (2, 2)]:
                    other.stdin.write(f"{theirs}\n")
                    other.stdin.flush()
                    said = []
                    try:
                        pool.scale(mine)
                        said.append("done\n")
                    except PoolError as error:
                        said.append(str(error))
                    said.append(other.stdout.readline())
                    # One wish was the last; who had the other is told so.
                    wanted = pool.status()["wanted"]
                    assert wanted in (mine, theirs)
                    pool.wait_for_workers(wanted, DEADLINE)
                    assert wait_for(lambda n=wanted: len(pool.workers) == n, DEADLINE)
                    assert all(
                        s == "done\n" or ("was scaled to" in s and "by somebody else" in s)
                        for s in said
                    ), said
                    assert "done\n" in said
            finally:
                other.kill()
    finally:
        pool.close()


def test_one_that_is_ended_while_it_starts_leaves_nothing(home: Path) -> None:
    program = "import workbench as wb; wb.pool.local(2, name='unborn')"
    for seconds in (0.3, 1.0, 2.0):
        with subprocess.Popen([sys.executable, "-c", program]) as starter:
            time.sleep(seconds)
            # As the interrupt of a notebook's cell.
            starter.send_signal(signal.SIGINT)
            starter.wait(DEADLINE)
        for pool in wb.pools():
            # It was complete already.
            assert pool.is_alive
            pool.close()
        assert list((home / "pools").iterdir()) == [] if (home / "pools").exists() else True
