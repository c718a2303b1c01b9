"""A worker is killed in the midst of a run: the next one of its folder goes on with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.live.support import PATIENCE, make_model
from tests.pool.runs.support import eventually
from tests.pool.runs.workers import host
from workbench.pool.runs.place import ask


@pytest.mark.slow
def test_goes_on_where_the_killed_one_stopped(tmp_path: Path) -> None:
    model = make_model()
    near = model.run(3000, seed=5)
    with host(tmp_path / "runs") as first:
        far = model.run(
            3000, seed=5, pool=first, folder="runs", name="killed", checkpoint_seconds=0.05
        )
        far.wait(PATIENCE, step=100)
        first.kill()
        eventually(lambda: far.state == "interrupted")
        assert far.is_live
        with host(tmp_path / "runs", first.address):
            far.wait(PATIENCE)
            near.wait(PATIENCE)
            assert far.state == "finished" and far.epoch == 1
            assert [e.kind for e in far.history.events] == ["resume"], far.history.events
            assert np.array_equal(near.history.steps, far.history.steps)
            assert np.array_equal(near.history["loss"], far.history["loss"])
            far.close()


def test_of_two_records_of_a_run_the_one_that_goes_furthest_counts(tmp_path: Path) -> None:
    """A worker that has led a run twice has two: the later one, once it has a checkpoint."""
    model = make_model()
    with host(tmp_path / "runs") as first:
        run = model.run(9, pool=first, folder="runs", name="twice", paused=True)
        assert run.step(3) == 3 and run.snapshot() == 3
        run.detach()
        first.kill()
    again, empty = (first.folder / f"twice-{number}" for number in (2, 3))
    for epoch, folder in enumerate((again, empty), 1):
        shutil.copytree(first.folder / "twice", folder)
        record = json.loads((folder / "run.json").read_bytes())
        (folder / "run.json").write_text(json.dumps(record | {"epoch": epoch}))
    shutil.rmtree(empty / "checkpoints")
    before = (first.folder / "twice" / "run.json").read_bytes()
    with host(tmp_path / "runs") as second:
        [card] = ask(second.place, "list", {}).fields["runs"]
        assert (card["run"], card["name"]) == (run.id, "twice-2")
        [found] = second.runs()
        assert found.epoch == 2 and found.worker_folder == str(again)
        found.resume()
        assert found.wait(PATIENCE).step_number == 9
        found.close()
    assert (first.folder / "twice" / "run.json").read_bytes() == before
