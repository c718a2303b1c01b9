"""A monitored training killed at random moments, again and again: it goes on from its last
checkpoint, whatever it was doing."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.chaos.monitored_worker import CHECKPOINT_STEPS
from tests.chaos.workers import finish, killed, lines

KILLS = int(os.environ.get("WORKBENCH_KILLS", "100")) // 2
WORKER = "tests.chaos.monitored_worker"


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_killed_monitored_training_goes_on(tmp_path: Path) -> None:
    moments = random.Random(1)
    for _ in range(KILLS):
        before = lines(tmp_path)
        saved = max((int(line.split()[1]) for line in before if "saved" in line), default=0)
        killed(WORKER, tmp_path, after=moments.uniform(0.0, 0.5))
        kind, number = lines(tmp_path)[len(before)].split()
        assert kind == "began"
        # A checkpoint may be whole on disk before its line is in the journal, never after.
        assert saved <= int(number) <= saved + 2 * CHECKPOINT_STEPS
    began = [int(line.split()[1]) for line in lines(tmp_path) if "began" in line]
    assert began == sorted(began) and began[-1] > 0
    last = began[-1] + 100 * CHECKPOINT_STEPS
    finish(WORKER, tmp_path, last)
    assert lines(tmp_path)[-1] == f"finished {last}"
