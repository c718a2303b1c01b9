"""Runs on the workers of a real pool."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import pytest

from tests.live.support import PATIENCE, make_model
from tests.pool.conftest import home, pool  # noqa: F401
from tests.pool.runs.replicas.models import Model, assert_each_step_once
from tests.pool.runs.support import eventually

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


def kill_workers(of: Any, pids: list[int]) -> None:
    """Kills workers and waits until others are there in their place."""
    with of.watch() as watch:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        joined = 0
        while joined < len(pids):
            change = watch.next(PATIENCE)
            assert change is not None, "nobody came"
            joined += change.kind == "joined"


def test_several_workers_train_one_run_whoever_dies(pool: Any) -> None:  # noqa: F811
    model = Model()
    run = model.run(pool, None, folder="runs", name="several", checkpoint_seconds=0.2)
    run.wait(PATIENCE, step=20)
    run.wait_for_replicas(pool.workers, PATIENCE)
    leads = next(each for each in run.replicas if each["leads"])
    kill_workers(pool, [leads["pid"]])
    run.wait_for_replicas(pool.workers, PATIENCE)
    assert_each_step_once(run, model)
    assert run.epoch == 1
    [found] = [each for each in pool.runs() if each.name == "several"]
    assert found is run, "it is in one place only"
    run.resume()
    # Nobody is left: the one that led goes on from its last checkpoint.
    kill_workers(pool, [worker.pid for worker in pool.workers])
    run.wait_for_replicas(pool.workers, PATIENCE)
    # It may have been killed before that it is not paused any more was on the disk.
    run.resume()
    run.wait(PATIENCE, step=run.step_number + 20)
    assert_each_step_once(run, model)
    assert run.epoch > 1
    run.stop()


def test_workers_join_and_leave_between_two_steps(pool: Any) -> None:  # noqa: F811
    model = Model()
    run = model.run(pool, None, replicas=3)
    run.wait_for_replicas(pool.workers, PATIENCE)
    pool.scale(3, PATIENCE)
    run.wait_for_replicas(pool.workers, PATIENCE)
    run.wait(PATIENCE, step=run.step_number + 5)
    pool.scale(2, PATIENCE)
    run.wait_for_replicas(pool.workers, PATIENCE)
    run.wait(PATIENCE, step=run.step_number + 5)
    assert_each_step_once(run, model)
    assert {size for _, _, size in run.status().taken} == {2, 3}
    run.stop()


def test_forks_and_replays_go_to_the_workers_of_a_pool(pool: Any) -> None:  # noqa: F811
    model = Model()
    near = model.run(None, 8, replicas=1, paused=True)
    near.step(4)
    alone = near.fork(pool=pool).wait(PATIENCE)
    expected = model.descend([1] * 8, [0.125] * 8)
    np.testing.assert_allclose(alone.eval(model.w), expected, rtol=1e-6)

    run = model.run(pool, None, paused=True, folder="runs", name="parent", checkpoint_seconds=0.1)
    run.wait_for_replicas(pool.workers, PATIENCE)
    run.step(6)
    replay = run.replay().wait(PATIENCE)
    # Not to the bit: when compiled programs take over differs from worker to worker.
    np.testing.assert_allclose(replay.history["loss"], run.history["loss"], rtol=1e-9)
    several = run.fork(step=4, name="several forked", paused=True, rate=0.25)
    several.wait_for_replicas(pool.workers, PATIENCE)
    several.step(3)
    expected = model.descend([2] * 7, [0.125] * 4 + [0.25] * 3)
    np.testing.assert_allclose(several.eval(model.w), expected, rtol=1e-6)
    assert several.parent == {"run": run.id, "step": 4}
    # On another worker than that of its parent, which is killed: another one goes on with it.
    worker = next(w for w in pool.workers if w.index != run.place.index)
    single = run.fork(name="single forked", worker=worker, replicas=1)
    assert single.place.index == worker.index
    single.wait(PATIENCE, step=30)
    kill_workers(pool, [worker.pid])
    eventually(lambda: single.epoch >= 1)
    single.wait(PATIENCE, step=single.step_number + 20)
    assert_each_step_once(single, model)
    assert [tuple(row) for row in single.status().taken] == [(0, 0, 2), (6, 12, 1)]
    names = {found.name for found in pool.runs()}
    assert {"parent", "several forked", "single forked"} <= names
    for each in (alone, replay, several, single, run):
        each.close()
