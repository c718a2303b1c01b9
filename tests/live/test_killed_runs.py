"""Processes that are killed or end in the midst of a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import workbench as wb
from tests.live.processes import check_undisturbed, kill, started, wait_for
from tests.live.support import PATIENCE, closing
from workbench.live.folder import RunFolder


@pytest.mark.usefixtures("one_tier")
def test_killed_it_resumes_with_the_same_numbers(tmp_path: Path) -> None:
    worker = started(tmp_path)
    wait_for(worker, "started")
    wait_for(worker, "saved")
    deadline = time.monotonic() + PATIENCE
    while (listed := wb.runs(tmp_path)["killed"]).state != "running":
        assert time.monotonic() < deadline
    assert listed.state == "running" and listed.is_running and not listed.status().live
    with pytest.raises(RuntimeError, match=f"in use by process {worker.pid}"):
        wb.resume(tmp_path / "killed")
    with pytest.raises(RuntimeError, match="stop it before"):
        wb.runs(tmp_path).delete("killed")
    time.sleep(0.5)
    kill(worker)
    assert wb.runs(tmp_path)["killed"].state == "interrupted"
    again = wb.resume(tmp_path / "killed")
    with closing(again):
        again.pause()
        assert again.step_number > 20
        check_undisturbed(again)


def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import os, sys; from tests.live.processes import started, wait_for\n"
        "worker = started(sys.argv[1])\n"
        "wait_for(worker, 'started')\n"
        "print(worker.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == -signal.SIGKILL
    folder = RunFolder(str(tmp_path / "killed"))
    deadline = time.monotonic() + PATIENCE
    while folder.is_running:
        assert time.monotonic() < deadline, f"process {done.stdout} lives on"
        time.sleep(0.05)


def test_the_end_of_the_process_ends_its_runs(tmp_path: Path) -> None:
    code = (
        "import sys; from tests.live.support import make_model\n"
        "model = make_model()\n"
        "run = model.run(None, folder=sys.argv[1], name='left')\n"
        "run.pause(); run.step(5); run.resume()\n"
        "other = model.run(None, folder=sys.argv[1], name='waits', paused=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "'left' was interrupted" in done.stderr and "wb.resume(" in done.stderr
    assert "Traceback" not in done.stderr
    for name in ("left", "waits"):
        found = wb.runs(tmp_path)[name]
        assert found.state == "interrupted" and not found.is_running
        assert f"step-{found.step_number}.safetensors" in os.listdir(
            tmp_path / name / "checkpoints"
        )
