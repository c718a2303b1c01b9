"""Who comes to a run that is paused takes part in it, as in one that goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import crew
from tests.pool.runs.replicas.models import Model, assert_each_step_once, there
from tests.pool.runs.support import eventually


def test_nobody_is_left_and_one_comes_back_before_the_other(tmp_path: Path) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run = model.run(pool, None, folder="runs", checkpoint_seconds=0.05, paused=True)
        assert run.step(4) == 4
        led = pool.leader(run)
        assert run.snapshot() == 4
        for number in (1 - led, led):
            pool.kill(number)
        address = pool.again(led).address
        # Alone it goes on with the run: none but the other can be awaited any more.
        eventually(lambda: pool.leader_of(run.id) == address and run.epoch == 1)
        eventually(lambda: len(there(run)) == 1)
        pool.again(1 - led)
        eventually(lambda: there(run) == ["worker 0", "worker 1"])
        run.wait_for_replicas(2, PATIENCE)
        assert run.state == "paused"
        last = run.step_number
        assert run.step(3) == last + 3
        assert_each_step_once(run, model)
        assert [tuple(row) for row in run.status().taken] == [(0, 0, 2)]
        run.close()


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["sync", "async", "parameter server"])
def test_those_who_hold_let_another_one_in(tmp_path: Path, strategy: str) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run = model.run(pool, None, paused=True, replicas=3, strategy=strategy)
        last = run.step(4)
        before = run.eval(model.w)
        pool.add()
        eventually(lambda: there(run) == ["worker 0", "worker 1", "worker 2"])
        led = pool.leader(run)
        pool.kill(1 - led)
        pool.add()
        eventually(lambda: there(run) == sorted([f"worker {led}", "worker 2", "worker 3"]))
        # Nobody who looks at the run sees more of it than that.
        assert (run.state, run.step_number) == ("paused", last)
        assert np.array_equal(run.eval(model.w), before)
        assert run.step(4) >= last + 4
        if strategy == "sync":
            assert_each_step_once(run, model)
            assert [tuple(row) for row in run.status().taken] == [(0, 0, 2), (4, 8, 3)]
        pool.kill(led)
        eventually(lambda: run.epoch == 1)
        pool.add()
        eventually(lambda: there(run) == ["worker 2", "worker 3", "worker 4"])
        assert run.state == "paused"
        run.close()
