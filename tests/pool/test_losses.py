"""What is told, and what is not, of a pool whose scheduler is gone."""

from __future__ import annotations

import logging
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.core.errors import UnavailableError
from workbench.pool import losses
from workbench.pool.dask_client import _filter, ours
from workbench.pool.errors import PoolError
from workbench.pool.processes import group_members, wait_for
from workbench.pool.records import Record

RECORD = Record("far", "connected", "tls://far:8786", 0, "", 0.0)
DEADLINE = 60.0


def test_the_moment_is_a_time_of_day() -> None:
    told = losses.of_scheduler(RECORD, time.monotonic() - 3600.0)
    hour = time.localtime(time.time() - 3600.0).tm_hour
    found = re.search(
        r"is gone since (\d\d):\d\d:\d\d; when it was started again, wb\.pool\.c", told
    )
    assert found is not None and int(found[1]) in (hour, (hour + 1) % 24, (hour - 1) % 24)
    assert "since" not in losses.of_scheduler(RECORD, None)


def test_what_is_ours_to_tell_is_not_logged_by_others(caplog: pytest.LogCaptureFixture) -> None:
    theirs = logging.getLogger("tests.pool.dask")
    theirs.addFilter(_filter)
    caplog.set_level(logging.INFO, theirs.name)
    with ours():
        try:
            raise OSError("the connection is gone")
        except OSError:
            theirs.exception("Failed to reconnect")
        theirs.critical("that is another matter")
    theirs.error("of a client of the user's own")
    assert caplog.messages == ["that is another matter", "of a client of the user's own"]


@pytest.mark.chaos
def test_a_dead_pool_says_since_when_and_what_to_do(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pool = wb.pool.local(1, name="lost")
    try:
        run = _paused_run(pool)
        before = time.localtime()
        os.kill(pool.pid, signal.SIGKILL)
        assert wait_for(lambda: not group_members(pool.pid), DEADLINE)
        assert wait_for(lambda: "since" in pool.loss, DEADLINE)
        since = re.search(r"is gone since (\d\d:\d\d:\d\d)", repr(pool))
        assert since is not None and since[1] >= time.strftime("%H:%M:%S", before)
        advice = r"gone since [\d:]*; wb\.pool\.restart\('lost'\) starts it again, with its runs"
        with pytest.raises(PoolError, match=advice):
            pool.scale(2)
        assert wait_for(lambda: run.state == "interrupted", DEADLINE)
        assert re.search(f"'kept', which was at step 3, is gone: .*{advice}", str(run.error))
        with pytest.raises(UnavailableError, match=advice):
            run.resume()
        # Until Dask has given up to look for it, too.
        assert wait_for(lambda: pool._link is None or pool._link.is_over, DEADLINE)
        pool.detach()
        pool = wb.pool.restart("lost")
        assert wait_for(lambda: [r.name for r in pool.runs()] == ["kept"], DEADLINE)
    finally:
        pool.close()
    printed = "".join(capfd.readouterr())
    assert "Traceback" not in printed and "distributed" not in printed, printed


def _paused_run(pool: Any) -> Any:
    with wb.Graph().as_default():
        w = wb.Variable(0.0, name="w")
        step = wb.assign_add(w, 1.0)
        run = wb.run(step, track={"w": w}, pool=pool, name="kept", folder="runs", paused=True)
    run.step(3)
    return run
