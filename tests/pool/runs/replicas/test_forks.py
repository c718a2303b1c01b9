"""Forks and replays between workers, and of what replicas have trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.live.support import PATIENCE, make_model
from tests.pool.runs.replicas.crew import Crew
from tests.pool.runs.replicas.models import Model, free_strategies
from tests.pool.runs.support import assert_equal_runs, eventually
from workbench.live import commands as c
from workbench.live.errors import NoWayBackError


def test_a_fork_goes_to_the_worker_that_has_fewest_runs(two: Crew) -> None:
    model = make_model()
    near = model.run(30, seed=5, paused=True)
    near.step(10)
    far = model.run(30, seed=5, pool=two, paused=True, folder="runs", name="parent")
    far.step(10)
    far.snapshot()
    fork = far.submit(c.Fork(6, "what if", {"lr": 0.5}, True)).result(PATIENCE).value
    other = near.fork(step=6, name="what if", paused=True, lr=0.5)
    assert fork.place.name != far.place.name and far.state == "paused"
    assert fork.parent == {"run": far.id, "step": 6} and fork.graph is far.graph
    assert fork.pause() == 6 and fork.hyperparameters["lr"] == 0.5
    assert fork.history.steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert [e.kind for e in fork.history.events] == [e.kind for e in other.history.events]
    assert far.history.events[-1].text == other_text(near) == "forked at step 6 as 'what if'"
    # All that it needs came with it: it goes on, and back before the step that it began with.
    for run in (fork, other):
        run.resume()
        run.wait(PATIENCE)
    assert_equal_runs(fork, other)
    for run in (fork, other):
        run.rewind(4)
        run.set(lr=0.25)
        run.step(3)
    assert_equal_runs(fork, other)
    # It was killed, or its worker was: it has a folder, in which all of that is.
    assert fork.worker_folder is not None and str(two.processes[1].folder) in fork.worker_folder
    for worker in (0, 1):
        again = far.fork(worker=worker, paused=True)
        assert again.place.name == two.places()[worker].name
    with pytest.raises(ValueError, match="no worker 7"):
        far.fork(worker=7)
    replay = far.replay().wait(PATIENCE)
    assert np.array_equal(replay.history["loss"], far.history["loss"])


def other_text(run: Any) -> str:
    return str(run.history.events[-1].text)


def test_a_run_of_this_process_forks_onto_a_pool(two: Crew) -> None:
    model = make_model()
    near = model.run(30, seed=5, paused=True)
    near.step(10)
    far, other = near.fork(step=4, pool=two, lr=0.5), near.fork(step=4, lr=0.5)
    assert far.place is not None and far.parent == other.parent
    assert_equal_runs(far.wait(PATIENCE), other.wait(PATIENCE))
    with pytest.raises(TypeError, match="pool of workers"):
        near.fork(pool="local")
    with pytest.raises(ValueError, match="pool"):
        near.fork(replicas=2)


def test_forks_what_replicas_have_trained(two: Crew) -> None:
    model = Model()
    run = model.run(two, 12, paused=True, folder="runs", name="several")
    run.step(4)
    run.set(rate=0.25)
    run.step(4)
    rates = [0.125] * 4 + [0.25] * 4
    same = run.fork(paused=True, rate=0.0625)
    same.wait_for_replicas(2, PATIENCE)
    # An earlier step: it is taken again from the nearest state before, by as many replicas.
    early = run.fork(step=6, name="early", paused=True)
    assert early.history.steps.tolist() == list(range(1, 7))
    for fork, at, last in ((same, 8, 0.0625), (early, 6, 0.25)):
        fork.step(2)
        expected = model.descend([2] * (at + 2), [*rates[:at], last, last])
        np.testing.assert_allclose(fork.eval(model.w), expected, rtol=1e-6)
        assert fork.eval(model.count) == fork.step_number == at + 2
        assert not [e.text for e in fork.history.events if "taken again" in e.text]
    # One alone goes on where they were in the data; its parent goes on too, side by side.
    single = run.fork(replicas=1, paused=True)
    run.resume()
    single.step(2)
    assert [each["worker"] for each in single.replicas] in (["worker 0"], ["worker 1"])
    expected = model.descend([2] * 8 + [1] * 2, [*rates, 0.25, 0.25])
    np.testing.assert_allclose(single.eval(model.w), expected, rtol=1e-6)
    run.wait(PATIENCE)
    np.testing.assert_allclose(
        run.eval(model.w), model.descend([2] * 12, [*rates, *[0.25] * 4]), rtol=1e-6
    )
    again = run.replay().wait(PATIENCE)
    assert np.array_equal(again.history["loss"], run.history["loss"])
    assert again.hyperparameters == {"rate": 0.25} and again.eval(model.count) == 12
    for each in (same, early, single, again, run):
        each.close()


def test_forks_one_run_onto_replicas(two: Crew) -> None:
    model = Model()
    run = model.run(two, 12, replicas=1, paused=True)
    run.step(8)
    fork = run.fork(step=5, replicas=2, paused=True)
    fork.wait_for_replicas(2, PATIENCE)
    fork.step(3)
    expected = model.descend([1] * 5 + [2] * 3, [0.125] * 8)
    np.testing.assert_allclose(fork.eval(model.w), expected, rtol=1e-6)
    fork.rewind(5)
    np.testing.assert_allclose(fork.eval(model.w), model.descend([1] * 5, [0.125] * 5), rtol=1e-6)
    with pytest.raises(ValueError, match="strategy"):
        run.fork(replicas=2, strategy="lazy")
    fork.close()
    run.close()


@free_strategies
def test_forks_where_replicas_wait_for_nobody(two: Crew, strategy: str) -> None:
    model = Model()
    run = model.run_until(20, two, strategy)
    last = run.pause()
    before = run.eval(model.w)
    fork = run.fork(paused=True, rate=0.0625)
    fork.wait_for_replicas(2, PATIENCE)
    np.testing.assert_array_equal(fork.eval(model.w), before)
    assert fork.step_number == last and fork.hyperparameters == {"rate": 0.0625}
    fork.resume()
    fork.wait(PATIENCE, step=last + 20)
    np.testing.assert_array_equal(run.eval(model.w), before)
    with pytest.raises(NoWayBackError, match="wait for nobody"):
        run.replay()
    early = run.fork(step=10, paused=True)
    eventually(lambda: early.state == "paused")
    assert early.step_number >= 10
    assert [e for e in early.history.events if "taken again" in e.text] or early.step_number == 10
    for each in (fork, early, run):
        each.close()
