"""A worker is killed in the midst of a run: the next one of its folder goes on with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.live.support import PATIENCE, make_model
from tests.pool.runs.support import eventually
from tests.pool.runs.workers import host


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
