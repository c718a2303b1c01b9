"""Runs on a worker: the numbers and the powers of a run of this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE, make_model
from tests.pool.runs.support import assert_equal_runs, eventually
from tests.pool.runs.workers import HostProcess
from workbench.core.errors import InvalidArgumentError, UnavailableError
from workbench.live.errors import RunEndedError
from workbench.live.events import Happened, Published, Rewound, StateChanged, Stepped
from workbench.live.run import Run


def test_is_bit_equal_to_a_run_here(worker: HostProcess) -> None:
    model = make_model()
    near = model.run(60, seed=5).wait(PATIENCE)
    far = model.run(60, seed=5, pool=worker, name="equal", folder="runs").wait(PATIENCE)
    assert not isinstance(far, Run)
    assert far.state == "finished" and far.steps == far.step_number == 60
    assert_equal_runs(near, far)
    assert far.status().to_json().keys() == near.status().to_json().keys()


def test_obeys_at_steps(worker: HostProcess) -> None:
    model = make_model()
    runs = [model.run(40, seed=5, paused=True), model.run(40, seed=5, paused=True, pool=worker)]
    for run in runs:
        assert run.pause() == 0
        assert run.step(4) == 4 and run.state == "paused"
        assert run.set(lr=0.5) == 4 and run.hyperparameters == {"lr": 0.5}
        assert run.step(4) == 8 and run.history.count == 8
        assert run.snapshot() == 8
        assert run.rewind(6) == 6 and run.history.steps.tolist() == [1, 2, 3, 4, 5, 6]
        assert run.epoch == 1 and run.hyperparameters == {"lr": 0.5}
        assert run.rewind(2) == 2 and run.hyperparameters == {"lr": 0.02}
        assert run.resume() == 2
        run.wait(PATIENCE)
        with pytest.raises(RunEndedError):
            run.set(lr=0.1)
    assert_equal_runs(*runs)
    near, far = ([(e.step, e.kind, e.values) for e in run.history.events] for run in runs)
    assert near == far


def test_forks_and_replays(worker: HostProcess) -> None:
    model = make_model()
    ends = []
    for pool in (None, worker):
        run = model.run(30, seed=5, pool=pool, paused=True)
        run.step(10)
        other = run.fork(step=5, lr=0.5, name="what if", paused=True)
        assert other.parent == {"run": run.id, "step": 5}
        assert other.name.startswith("what if") and other.graph is run.graph
        other.resume()
        ends.append(other.wait(PATIENCE))
        replay = run.replay()
        assert np.array_equal(replay.wait(PATIENCE).history["loss"], run.history["loss"])
    assert_equal_runs(*ends)
    assert ends[1].hyperparameters == {"lr": 0.5}


def test_stops_at_a_watch_and_says_the_users_line(worker: HostProcess) -> None:
    x = wb.placeholder(wb.float32, [], name="x")
    bad = wb.log(x - 3.0, name="bad")
    total = wb.Variable(0.0)
    step = total.assign_add(bad)
    run = wb.run(step, feed={x: 1.0}, track={"bad": bad}, pool=worker, paused=True)
    name = run.watch(bad)
    assert list(run.watches) == [name]
    run.resume()
    run.wait(PATIENCE)
    report = run.stopped_by
    assert report.operation == "bad" and report.step == 1
    assert report.line.text == 'bad = wb.log(x - 3.0, name="bad")'
    run.unwatch(name)
    assert run.watches == {}


def test_fails_with_the_users_line(worker: HostProcess) -> None:
    x = wb.placeholder(wb.float32, [None], name="x")
    checked = wb.check_numerics(wb.log(x), "the logarithm")
    run = wb.run(checked, steps=3, feed={x: [-1.0]}, pool=worker)
    with pytest.raises(InvalidArgumentError, match="the logarithm") as caught:
        run.wait(PATIENCE)
    assert caught.value.op is checked.op
    assert 'checked = wb.check_numerics(wb.log(x), "the logarithm")' in str(caught.value)
    assert run.state == "failed" and run.status().error.line is not None


def test_gives_values_and_refuses(worker: HostProcess) -> None:
    model = make_model()
    run = model.run(20, pool=worker, paused=True)
    run.step(2)
    loss, both = run.peek(model.loss), run.eval([model.lr, {"again": "lr:0"}])
    assert loss.shape == () and both[1]["again"] == both[0] == np.float32(0.02)
    assert run.step_number == 2
    cases: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: run.set(lr=7), ValueError, "lr must be between 0.0001 and 1"),
        (lambda: run.set(lr="x"), TypeError, "lr is a number"),
        (lambda: run.set(rate=1), ValueError, "no hyperparameter 'rate'"),
        (lambda: run.rewind(9), ValueError, "9"),
        (lambda: run.step(0), ValueError, "0"),
        (lambda: run.peek("nothing:0"), KeyError, "nothing"),
        (lambda: run.watch(model.loss, lambda v: True), ValueError, "code is not sent"),
        (lambda: run.unwatch("nothing"), ValueError, "no watch"),
        (lambda: run.fork(step=3), ValueError, "from 0 to 2"),
        (lambda: run.wait(0.05), TimeoutError, "step 2"),
    ]
    for call, kind, text in cases:
        with pytest.raises(kind, match=text):
            call()
    assert run.state == "paused" and run.step_number == 2


def test_refuses_what_cannot_be_sent(worker: HostProcess) -> None:
    model = make_model()
    for feed in (lambda step: model.data[step], iter([model.data[0]])):
        with pytest.raises(ValueError, match="wb.batches"):
            model.run(20, feed=feed, pool=worker)
    python = wb.py_func(lambda: np.float32(1), [], wb.float32)
    with pytest.raises(ValueError, match="a Python function"):
        wb.run(python, steps=2, pool=worker)
    with pytest.raises(ValueError, match="folder"):
        model.run(20, folder="elsewhere", pool=worker)
    with pytest.raises(InvalidArgumentError, match="nothing to train"):
        wb.run(model.loss, feed=model.data, replicas=2, pool=worker)
    with pytest.raises(ValueError, match="group"):
        wb.run([model.train, model.loss], feed=model.data, replicas=2, pool=worker)
    with pytest.raises(ValueError, match="need a pool"):
        model.run(20, replicas=2)
    with pytest.raises(ValueError, match="strategy"):
        model.run(20, strategy="lazy", pool=worker)


def test_begins_with_the_state_of_a_session(worker: HostProcess) -> None:
    v = wb.Variable(1.0)
    step = v.assign_add(1.0)
    with wb.Session() as session:
        session.run(v.initializer)
        session.run(v.assign(40.0))
        run = wb.run(step, steps=2, session=session, pool=worker).wait(PATIENCE)
        assert run.eval(v) == 42.0 and session.run(v) == 40.0


def test_tells_listeners_and_observers(worker: HostProcess) -> None:
    model = make_model()
    run = model.run(None, pool=worker, paused=True)
    told: list[Published] = []
    run.subscribe(told.append)
    observation, tap = run.observe(["time", "mean"]), run.tap(model.loss)
    run.resume()
    eventually(lambda: observation.latest() is not None and tap.latest() is not None)
    frame, sample = observation.latest(), tap.latest()
    place = model.loss.op._id - 1
    assert frame.step > 0 and len(frame.channels["time"]) == model.loss.graph.version
    assert frame.channels["time"][place] > 0
    assert sample.shape == () and tap.history[0][-1] == sample.step
    observation.close()
    tap.close()
    run.pause()
    run.rewind(1)
    run.stop()
    kinds = {type(each) for each in told}
    assert {Happened, Rewound, StateChanged, Stepped} <= kinds
    assert run.state == "stopped" and told[-1].run == run.id


def test_outlives_who_began_it(worker: HostProcess) -> None:
    model = make_model()
    run = model.run(None, pool=worker, name="stays", folder="runs")
    run.wait(PATIENCE, step=5)
    run.detach()
    with wb.Graph().as_default():
        [again] = [r for r in worker.runs() if r.id == run.id]
        assert again in list(wb.runs()) and again is not run
        assert [r for r in worker.runs() if r.id == run.id] == [again]
        before = again.step_number
        eventually(lambda: again.step_number > before)
        assert again.graph is not model.loss.graph
        assert again.peek("loss:0").shape == ()
        stopped = again.stop()
        assert again.history.count == stopped >= 5
        assert np.array_equal(again.history["loss"][:5], run.history["loss"][:5])
        again.delete()
    assert run.id not in [r.id for r in worker.runs()]


def test_says_that_no_worker_answers(worker: HostProcess) -> None:
    from workbench.pool.runs.dispatch import start_run

    class Nobody:
        def start_run(self, spec: Any, **options: Any) -> Any:
            return start_run([], spec, **options)

    with pytest.raises(UnavailableError, match="No worker"):
        make_model().run(20, pool=Nobody())
