"""Runs of a pool whose disk is full: they go on, say so, keep their last checkpoint, and go on
writing when there is room."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.chaos.disks import fill, small_disk
from tests.pool.homes import home_at
from tests.pool.runs.support import eventually

pytest.importorskip("distributed")
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]
PATIENCE = 60.0
SIZE = 10_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "24m") as folder, home_at(folder / "home"):
        yield folder


class Model:
    """Counts its steps, in each element of a variable."""

    def __init__(self) -> None:
        self.weights = wb.Variable(np.zeros(SIZE), name="weights")
        self.train = self.weights.assign_add(np.ones(SIZE))
        self.mean = wb.reduce_mean(self.weights)

    def run(self, pool: Any, **options: Any) -> Any:
        arguments = {"track": {"mean": self.mean}, "checkpoint_seconds": 0.2, "folder": "runs"}
        return wb.run(self.train, pool=pool, **(arguments | options))

    def check(self, run: Any) -> int:
        """That the run is whole: its values, and its history."""
        last = run.pause()
        values = run.eval(self.weights)
        assert values.min() == values.max() == last
        assert np.array_equal(run.history.steps, np.arange(1, last + 1))
        return int(last)


def checkpoints(run: Any) -> list[str]:
    found = Path(run.worker_folder, "checkpoints")
    return sorted(path.name for path in found.glob("*.safetensors"))


def told(run: Any) -> list[str]:
    return [e.text for e in run.history.events if "cannot be written" in (e.text or "")]


def full(disk: Path, run: Any) -> Path:
    """Fills the disk once there is a checkpoint, and waits until the run tells of it."""
    eventually(lambda: len(checkpoints(run)) > 1)
    filler = fill(disk)
    eventually(lambda: bool(told(run)))
    return filler


@pytest.mark.parametrize("replicas", [None, 2])
def test_a_run_goes_on_and_writes_again(disk: Path, replicas: int | None) -> None:
    options: dict[str, Any] = {} if replicas is None else {"replicas": replicas}
    with wb.pool.local(replicas or 1, name="small") as pool:
        model = Model()
        run = model.run(pool, name="kept", **options)
        filler = full(disk, run)
        assert "No space left on device" in told(run)[0]
        before, kept = run.step_number, checkpoints(run)
        assert kept
        eventually(lambda: run.state == "running" and run.step_number > before + 100)
        filler.unlink()
        eventually(lambda: checkpoints(run)[-1] > kept[-1])
        model.check(run)
        run.stop()


def test_a_worker_that_is_killed_while_the_disk_is_full(disk: Path) -> None:
    with wb.pool.local(1, name="small") as pool:
        model = Model()
        run = model.run(pool, name="kept")
        filler = full(disk, run)
        os.kill(pool.workers[0].pid, signal.SIGKILL)
        # From its last checkpoint, or with an error that says what the matter is.
        eventually(lambda: run.epoch == 1 or run.error is not None)
        assert run.error is None or "No space left on device" in str(run.error)
        filler.unlink()
        eventually(lambda: run.state == "running" and run.epoch == 1)
        before = run.step_number
        eventually(lambda: run.step_number > before + 100)
        model.check(run)
        run.stop()


def test_a_run_that_cannot_begin_says_why(disk: Path) -> None:
    with wb.pool.local(1, name="small") as pool:
        filler = fill(disk)
        with pytest.raises((OSError, wb.errors.OpError), match="No space left on device"):
            Model().run(pool, name="unborn")
        filler.unlink()
        assert [run.name for run in pool.runs()] == []
        run = Model().run(pool, name="born", steps=5).wait(PATIENCE)
        assert run.state == "finished"
