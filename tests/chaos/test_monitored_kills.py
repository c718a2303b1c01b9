"""A monitored training killed at random moments, again and again: it goes on from its last
checkpoint, whatever it was doing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.monitored_worker import CHECKPOINT_STEPS

KILLS = int(os.environ.get("WORKBENCH_KILLS", "100")) // 2
#: A worker that shows no sign of life for so long has failed.
PATIENCE = 60.0


def _lines(folder: Path) -> list[str]:
    journal = folder / "journal"
    # A kill may leave a line without its end.
    return journal.read_text().split("\n")[:-1] if journal.exists() else []


def _start(folder: Path, steps: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.chaos.monitored_worker", str(folder), str(steps)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _killed(folder: Path, moments: random.Random, known: int) -> None:
    """Starts a worker, lets it work for a while, and kills it."""
    worker = _start(folder, steps=10**9)
    try:
        deadline = time.monotonic() + PATIENCE
        while len(_lines(folder)) <= known:
            if worker.poll() is not None:
                stderr = worker.stderr.read().decode() if worker.stderr else ""
                pytest.fail(f"the worker ended with {worker.returncode}:\n{stderr}")
            assert time.monotonic() < deadline, "the worker shows no sign of life"
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.5))
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(PATIENCE)
        if worker.stderr:
            worker.stderr.close()


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_killed_monitored_training_goes_on(tmp_path: Path) -> None:
    moments = random.Random(1)
    for _ in range(KILLS):
        before = _lines(tmp_path)
        saved = max((int(line.split()[1]) for line in before if "saved" in line), default=0)
        _killed(tmp_path, moments, len(before))
        kind, number = _lines(tmp_path)[len(before)].split()
        assert kind == "began"
        # A checkpoint may be whole on disk before its line is in the journal, never after.
        assert saved <= int(number) <= saved + 2 * CHECKPOINT_STEPS
    began = [int(line.split()[1]) for line in _lines(tmp_path) if "began" in line]
    assert began == sorted(began) and began[-1] > 0
    last = began[-1] + 100 * CHECKPOINT_STEPS
    finishing = _start(tmp_path, last)
    _, errors = finishing.communicate(timeout=PATIENCE)
    assert finishing.returncode == 0, errors.decode()
    assert _lines(tmp_path)[-1] == f"finished {last}"
