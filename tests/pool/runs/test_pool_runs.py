"""Runs on the workers of a real pool."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import pytest

from tests.live.support import PATIENCE, make_model
from tests.pool.conftest import home, pool  # noqa: F401
from tests.pool.runs.test_remote_run import eventually

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


def test_goes_to_a_worker_and_survives_it(pool: Any) -> None:  # noqa: F811
    model = make_model()
    run = model.run(None, pool=pool, name="pooled", folder="runs", checkpoint_seconds=0.1)
    run.wait(PATIENCE, step=50)
    other = model.run(5, pool=pool).wait(PATIENCE)
    assert other.place.index != run.place.index
    assert {r.id for r in pool.runs()} == {run.id, other.id}
    [worker] = [w for w in pool.workers if w.index == run.place.index]
    os.kill(worker.pid, signal.SIGKILL)
    eventually(lambda: run.epoch == 1)
    before = run.step_number
    eventually(lambda: run.step_number > before)
    run.set(lr=0.5)
    last = run.stop()
    assert np.array_equal(run.history.steps, np.arange(1, last + 1))
