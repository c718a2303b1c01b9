"""A training killed at random moments, again and again: every restart loads, and none loses more
than the steps since the last checkpoint."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.chaos.kill_worker import CHECKPOINT_STEPS
from tests.chaos.workers import finish, killed, lines

KILLS = int(os.environ.get("WORKBENCH_KILLS", "100"))
WORKER = "tests.chaos.kill_worker"


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_killed_training_resumes_from_its_last_checkpoint(tmp_path: Path) -> None:
    moments = random.Random(0)
    restored = 0
    for _ in range(KILLS):
        before = lines(tmp_path)
        steps = [int(line.split()[1]) for line in before if line.startswith("saved")]
        saved = max(steps, default=0)
        killed(WORKER, tmp_path, after=moments.uniform(0.0, 0.4))
        first = lines(tmp_path)[len(before)]
        if first.startswith("restored"):
            restored += 1
            # A checkpoint may be whole on disk before its line is in the journal, never after.
            assert int(first.split()[1]) >= saved, f"{first!r} after step {saved} was saved"
            assert int(first.split()[1]) <= saved + 2 * CHECKPOINT_STEPS
        else:
            assert first == "started" and saved == 0
    assert restored >= KILLS * 3 // 4
    steps = max(int(line.split()[1]) for line in lines(tmp_path) if line.startswith("saved"))
    finish(WORKER, tmp_path, steps + CHECKPOINT_STEPS)
    assert lines(tmp_path)[-1] == "finished"
