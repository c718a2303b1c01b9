"""A training killed at random moments, again and again: every restart loads, and none loses more
than the steps since the last checkpoint."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.kill_worker import CHECKPOINT_STEPS

KILLS = int(os.environ.get("WORKBENCH_KILLS", "100"))
#: A worker that shows no sign of life for so long has failed.
PATIENCE = 60.0


def _lines(folder: Path) -> list[str]:
    journal = folder / "journal"
    return journal.read_text().splitlines() if journal.exists() else []


def _start(folder: Path, steps: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.chaos.kill_worker", str(folder), str(steps)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _wait_for_life(worker: subprocess.Popen[bytes], folder: Path, known: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(_lines(folder)) <= known:
        if worker.poll() is not None:
            stderr = worker.stderr.read().decode() if worker.stderr else ""
            pytest.fail(f"the worker ended with {worker.returncode}:\n{stderr}")
        assert time.monotonic() < deadline, "the worker shows no sign of life"
        time.sleep(0.002)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_killed_training_resumes_from_its_last_checkpoint(tmp_path: Path) -> None:
    moments = random.Random(0)
    restored = 0
    for _ in range(KILLS):
        before = _lines(tmp_path)
        steps = [int(line.split()[1]) for line in before if line.startswith("saved")]
        saved = max(steps, default=0)
        worker = _start(tmp_path, steps=10**9)
        try:
            _wait_for_life(worker, tmp_path, len(before))
            time.sleep(moments.uniform(0.0, 0.4))
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(PATIENCE)
            if worker.stderr:
                worker.stderr.close()
        first = _lines(tmp_path)[len(before)]
        if first.startswith("restored"):
            restored += 1
            # A checkpoint may be whole on disk before its line is in the journal, never after.
            assert int(first.split()[1]) >= saved, f"{first!r} after step {saved} was saved"
            assert int(first.split()[1]) <= saved + 2 * CHECKPOINT_STEPS
        else:
            assert first == "started" and saved == 0
    assert restored >= KILLS * 3 // 4
    steps = max(int(line.split()[1]) for line in _lines(tmp_path) if line.startswith("saved"))
    finishing = _start(tmp_path, steps + CHECKPOINT_STEPS)
    _, errors = finishing.communicate(timeout=PATIENCE)
    assert finishing.returncode == 0, errors.decode()
    assert _lines(tmp_path)[-1] == "finished"
