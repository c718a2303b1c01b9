"""A run killed at random moments, life after life: every time it lists, opens and resumes, and in
the end it has the numbers of a run that nobody disturbed."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.live.processes import check_undisturbed, kill, started, wait_for
from tests.live.support import PATIENCE, assert_same, closing, variables

KILLS = int(os.environ.get("WORKBENCH_KILLS", "100"))


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("tier", ["interpreted", "auto"])
def test_killed_again_and_again(tmp_path: Path, tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_TIER", tier)
    moments = random.Random(0)
    recorded = np.empty(0)
    for life in range(KILLS):
        worker = started(tmp_path, *(["resume"] if life else []))
        try:
            wait_for(worker, "started")
            # The first life must leave a state; later ones may end before they did anything.
            if not life or moments.random() < 0.3:
                wait_for(worker, "saved")
            time.sleep(moments.choice([0.0, moments.uniform(0.0, 0.05), moments.uniform(0, 0.5)]))
        finally:
            kill(worker)
        (found,) = wb.runs(tmp_path)
        assert (found.name, found.state, found.damage) == ("killed", "interrupted", None)
        losses = found.history["loss"]
        both = min(len(losses), len(recorded))
        assert np.array_equal(losses[:both], recorded[:both])
        recorded = losses if len(losses) > len(recorded) else recorded
    again = wb.resume(tmp_path / "killed")
    with closing(again):
        deadline = time.monotonic() + PATIENCE
        while tier == "auto" and again.status().tier != "compiled":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        again.pause()
        replayed = again.replay().wait(PATIENCE)
        with closing(replayed):
            assert np.array_equal(replayed.history["loss"], again.history["loss"])
            assert_same(variables(replayed), variables(again))
            assert not [e for e in replayed.history.events if e.kind == "log"]
        if tier == "auto":
            # A run that knows nothing of this one changes over at another step.
            return
        check_undisturbed(again)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_killed_as_it_begins(tmp_path: Path) -> None:
    """Before there is a checkpoint it starts over, or says what is missing."""
    moments = random.Random(1)
    for life in range(max(1, KILLS // 5)):
        project = tmp_path / str(life)
        worker = started(project)
        deadline = time.monotonic() + PATIENCE
        while not (project / "killed" / "run.json").exists():
            assert time.monotonic() < deadline and worker.poll() is None
        time.sleep(moments.uniform(0.0, 0.03))
        kill(worker)
        (found,) = wb.runs(project)
        assert found.state == "interrupted"
        try:
            again = found.resume()
        except ValueError as error:
            assert "ended before" in str(error), error
            continue
        with closing(again):
            again.pause()
            assert again.state == "paused" and again.hyperparameters["lr"] in (0.02, 0.05, 0.01)
