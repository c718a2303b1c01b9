"""Runs told what to do from Python: states, steps, hyperparameters, values, errors, threads."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE, closing, make_model
from workbench.live import commands as c
from workbench.live.errors import RunEndedError
from workbench.live.events import Happened, StateChanged, Stepped
from workbench.live.history import History


def kinds(run: Any) -> list[tuple[int, str]]:
    return [(e.step, e.kind) for e in run.history.events]


def test_a_run_to_its_end() -> None:
    run = make_model().run(40)
    with closing(run):
        assert run.wait(PATIENCE) is run
        assert (run.state, run.step_number, run.is_live) == ("finished", 40, False)
        assert run.history.steps.tolist() == list(range(1, 41))
        status = run.status()
        assert (status.step, status.steps, status.state) == (40, 40, "finished")
        assert status.values["loss"] == run.history["loss"][-1]
        assert "finished, step 40 of 40" in repr(run)


def test_pause_step_resume_stop() -> None:
    run = make_model().run(None, paused=True)
    with closing(run):
        assert run.pause() == 0 and run.state == "paused" and run.step_number == 0
        assert run.step(3) == 3 == run.step_number
        assert run.step() == 4 == run.step_number
        assert run.state == "paused"
        run.resume()
        assert run.state == "running"
        run.pause()
        step = run.step_number
        time.sleep(0.05)
        assert run.step_number == step, "a paused run does no step"
        assert run.stop() == run.step_number and run.state == "stopped"
        assert [k for _, k in kinds(run)] == ["resume", "pause", "stop"]


def test_set_counts_from_the_next_step_on() -> None:
    v = wb.Variable(0.0)
    rate = wb.hyperparameter("rate", 1.0)
    run = wb.run(
        v.assign_add(rate), steps=10, paused=True, folder=None, track={"v": v.op.outputs[0]}
    )
    with closing(run):
        run.step(3)
        acknowledgement = run.submit(c.Set({"rate": 10.0}))
        assert acknowledgement.result(PATIENCE).step == 3
        assert run.hyperparameters == {"rate": 10.0}
        run.step(2)
        assert float(run.eval(v)) == 3 + 20
        assert kinds(run) == [(3, "set")]
        assert run.history.events[0].text == "rate 1.0 -> 10.0"
        assert run.history.events[0].values == {"rate": 10.0}


@pytest.mark.parametrize(
    ("values", "error"),
    [({"lr": 7.0}, ValueError), ({"lr": "a"}, TypeError), ({"x": 1}, ValueError), ({}, ValueError)],
)
def test_a_wrong_value_changes_nothing(values: dict[str, Any], error: type[Exception]) -> None:
    run = make_model().run(None, paused=True)
    with closing(run):
        with pytest.raises(error):
            run.set(**values)
        assert run.hyperparameters == {"lr": 0.02} and run.history.events == []
        assert run.state == "paused"


def test_commands_take_effect_in_order_between_steps() -> None:
    run = make_model().run(None, paused=True)
    with closing(run):
        given = [
            c.Step(2), c.Pause(), c.Set({"lr": 0.1}), c.Set({"lr": 0.2}), c.Resume(), c.Pause(),
        ]  # fmt: skip
        steps = [a.result(PATIENCE).step for a in [run.submit(g) for g in given]]
        assert steps == sorted(steps)
        assert [e.values["lr"] for e in run.history.events if e.kind == "set"] == [0.1, 0.2]


@pytest.mark.parametrize(
    "command",
    [c.Pause(), c.Resume(), c.Step(1), c.Stop(), c.Set({"lr": 0.1}), c.Watch("loss:0")],
    ids=lambda command: type(command).__name__,
)
def test_an_ended_run_refuses(command: c.Command) -> None:
    run = make_model().run(2)
    with closing(run):
        run.wait(PATIENCE)
        with pytest.raises(RunEndedError, match="has finished after step 2.*rewind"):
            run.submit(command).result(PATIENCE)


@pytest.mark.usefixtures("one_tier")
def test_peek_and_eval_leave_the_numbers_alone() -> None:
    model = make_model()
    runs = [model.run(30, seed=5, name="a", paused=True) for _ in range(2)]
    with closing(*runs):
        disturbed, calm = runs
        dropped = wb.nn.dropout(wb.ones([4]), 0.5)
        for _ in range(10):
            disturbed.step()
            disturbed.peek(model.loss)
            disturbed.peek("loss:0")
            disturbed.eval([model.loss, dropped], model.data[0])
        disturbed.resume()
        disturbed.wait(PATIENCE)
        calm.resume()
        calm.wait(PATIENCE)
        assert np.array_equal(disturbed.history["loss"], calm.history["loss"])


def test_peek_undoes_what_it_must_do() -> None:
    v = wb.Variable(0.0)
    element = wb.data.Dataset.range(100).make_one_shot_iterator().get_next()
    run = wb.run(v.assign(wb.to_float(element)), folder=None, paused=True)
    with closing(run):
        run.step(3)
        assert float(run.peek(v + 0.5)) == 2.5
        assert int(run.peek(element)) == 3
        assert float(run.peek(v.assign_add(7.0))) == 9.0
        run.step(1)
        assert float(run.eval(v)) == 3.0


def test_the_end_of_the_data_finishes() -> None:
    v = wb.Variable(0.0)
    element = wb.data.Dataset.range(5).make_one_shot_iterator().get_next()
    run = wb.run(v.assign_add(wb.to_float(element)), folder=None)
    with closing(run):
        assert run.wait(PATIENCE).state == "finished"
        assert run.step_number == 5 and float(run.eval(v)) == 10.0
        assert run.history.events[0].text == "the data ended after step 5"
    x = wb.placeholder(wb.float32, [])
    run = wb.run(v.assign_add(x), feed=({x: i} for i in range(3)), folder=None)
    with closing(run):
        assert run.wait(PATIENCE).step_number == 3


def test_feeds() -> None:
    v = wb.Variable(0.0)
    x = wb.placeholder(wb.float32, [])
    for feed, wanted in (
        ({x: 2.0}, 8.0),
        ({"Placeholder:0": 2.0}, 8.0),
        (lambda step: {x: step}, 6.0),
        (iter([{x: 1.0}] * 4), 4.0),
    ):
        run = wb.run(v.assign_add(x), steps=4, feed=feed, folder=None)
        with closing(run):
            run.wait(PATIENCE)
            assert float(run.eval(v)) == wanted


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"feed": 3}, TypeError, "feed must be wb.batches"),
        ({"track": {"w": "w:0"}}, ValueError, "w cannot be tracked.*has shape"),
        ({"track": [1]}, TypeError, "track must be a dictionary"),
        ({"steps": 0}, ValueError, "steps must be a positive number"),
        ({"steps": True}, ValueError, "steps must be a positive number"),
        ({"pool": object()}, TypeError, "pool must be a pool of workers"),
        ({"name": "../x"}, ValueError, "A run's name"),
        ({"session": 5}, TypeError, "session must be a session"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"checkpoint_seconds": 0}, ValueError, "checkpoint_seconds must be positive"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    w = wb.Variable([1.0, 2.0], name="w")
    with pytest.raises(error, match=words):
        wb.run(w.assign_add([1.0, 1.0]), folder=None, **arguments)
    with pytest.raises(TypeError, match="train_op must be an operation"):
        wb.run(3, folder=None)


def test_a_failed_step_ends_the_run_and_wait_raises_it() -> None:
    x = wb.placeholder(wb.float32, [None])
    checked = wb.check_numerics(wb.log(x), "bad logarithm", name="checked")
    run = wb.run(checked.op, feed=lambda step: {x: [3.0 - step]}, folder=None)
    with closing(run):
        with pytest.raises(wb.errors.InvalidArgumentError, match="bad logarithm"):
            run.wait(PATIENCE)
        assert run.state == "failed" and run.step_number == 3
        assert isinstance(run.error, wb.errors.InvalidArgumentError)
        failure = run.status().error
        assert failure is not None and failure.operation == "checked"
        assert failure.line is not None and failure.line.text.startswith("checked = wb.check_")
        assert "bad logarithm" in repr(run) and "test_run.py" in repr(run)
        assert run.history.events[-1].kind == "failed"
        assert run.rewind(1) == 1 and run.state == "paused" and run.error is None


def test_a_feed_that_raises_fails_the_run() -> None:
    def feed(step: int) -> Any:
        raise KeyError("no such batch")

    run = wb.run(wb.Variable(0.0).assign_add(1.0), feed=feed, folder=None)
    with closing(run), pytest.raises(KeyError, match="no such batch"):
        run.wait(PATIENCE)


def test_a_tracked_value_that_turns_out_to_be_no_scalar() -> None:
    x = wb.placeholder(wb.float32)
    step = wb.Variable(0.0).assign_add(1.0)
    run = wb.run(step, feed={x: [1.0, 2.0]}, track={"x": x}, folder=None)
    with closing(run), pytest.raises(ValueError, match=r"'x' cannot be tracked.*shape \(2,\)"):
        run.wait(PATIENCE)


def test_kinds_of_tracked_values() -> None:
    values = {"b": True, "i": 3, "h": np.float16(2.0), "d": np.float64(1.5)}
    track = {name: wb.Variable(value) for name, value in values.items()}
    track["n"] = wb.cast(track["d"], wb.bfloat16)
    run = wb.run(wb.Variable(0.0).assign_add(1.0), steps=2, track=track, folder=None)
    with closing(run):
        run.wait(PATIENCE)
        for name, value in (values | {"n": 1.5}).items():
            assert run.history[name].tolist() == [float(value)] * 2


def test_a_hyperparameter_cannot_be_fed() -> None:
    rate = wb.hyperparameter("rate", 1.0)
    run = wb.run(wb.Variable(0.0).assign_add(rate), feed={rate: 2.0}, folder=None)
    with closing(run), pytest.raises(ValueError, match=r"run.set\(...\) changes it"):
        run.wait(PATIENCE)


def test_listeners_hear_of_everything_and_cannot_hurt() -> None:
    run = make_model().run(None, paused=True)
    heard: list[Any] = []

    def broken(event: Any) -> None:
        raise RuntimeError("a listener's own fault")

    with closing(run):
        run.pause()
        run.subscribe(broken)
        end = run.subscribe(heard.append)
        run.set(lr=0.1)
        run.resume()
        deadline = time.monotonic() + PATIENCE
        while not any(isinstance(e, Stepped) for e in heard):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        run.pause()
        end()
        count = len(heard)
        run.step(1)
        assert len(heard) == count
        states = [e.state for e in heard if isinstance(e, StateChanged)]
        assert states == ["running", "paused"]
        happened = [e.event.kind for e in heard if isinstance(e, Happened)]
        assert happened == ["set", "resume", "pause"]
        assert any("told no more" in e.text for e in run.history.events)


def test_a_listener_must_not_wait_for_its_own_run() -> None:
    run = make_model().run(None, paused=True)
    caught: list[BaseException] = []

    def listener(event: Any) -> None:
        try:
            run.pause()
        except RuntimeError as error:
            caught.append(error)

    with closing(run):
        run.subscribe(listener)
        run.step(1)
        assert caught and "run.submit" in str(caught[0])


def test_the_given_session_is_used_and_left_open() -> None:
    v = wb.Variable(0.0)
    with wb.Session() as session:
        session.run(v.initializer)
        session.run(v.assign(5.0))
        run = wb.run(v.assign_add(1.0), steps=3, session=session, folder=None)
        run.wait(PATIENCE)
        assert run.session is session
        run.close()
        assert float(session.run(v)) == 8.0


@pytest.mark.usefixtures("one_tier")
def test_two_runs_at_once() -> None:
    model = make_model()
    runs = [model.run(300, seed=seed) for seed in (1, 1, 2)]
    with closing(*runs):
        for run in runs:
            run.wait(PATIENCE)
        one, same, other = (r.history["loss"] for r in runs)
        assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_wait_has_a_deadline() -> None:
    run = make_model().run(None)
    with closing(run), pytest.raises(TimeoutError, match=r"'run' is (created|running) at step"):
        run.wait(0.05)


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    run = make_model().run(5)
    run.wait(PATIENCE)
    run.rewind(2)
    run.resume()
    run.wait(PATIENCE)
    run.close()
    paused = make_model_again(paused=True)
    paused.close()
    assert paused.state == "stopped"
    assert set(threading.enumerate()) <= before
    with pytest.raises(RunEndedError, match="closed"):
        run.eval(0.0)


def make_model_again(**options: Any) -> Any:
    with wb.Graph().as_default():
        return make_model().run(5, **options)


def test_a_step_can_be_waited_for():
    model = make_model()
    run = model.run(None)
    with closing(run):
        assert run.wait(PATIENCE, step=5) is run and run.step_number >= 5
        assert run.state == "running"
        run.wait(PATIENCE, step=0)
        run.pause()
        with pytest.raises(TimeoutError):
            run.wait(0.05, step=run.step_number + 1)


def test_steps_are_waited_for_while_they_come(monkeypatch):
    monkeypatch.setattr("workbench.live.run_controls.PATIENCE", 1.0)
    v = wb.Variable(0.0)
    slow = wb.py_func(lambda x: time.sleep(0.3) or x, [v.assign_add(1.0)], wb.float32)
    run = wb.run(slow, folder=None, paused=True)
    with closing(run):
        assert run.step(5) == 5


def test_a_fork_can_wait_at_its_step():
    model = make_model()
    run = model.run(9).wait(PATIENCE)
    other = run.fork(4, paused=True, lr=0.5)
    with closing(run, other):
        other.pause()
        assert (other.state, other.step_number, len(other.history)) == ("paused", 4, 4)
        assert other.step(2) == 6 and other.hyperparameters == {"lr": 0.5}


def test_peeking_before_the_first_step_takes_nothing_from_an_iterator():
    x = wb.placeholder(wb.float32, [], name="x")
    total = wb.Variable(0.0).assign_add(x)
    run = wb.run(
        total, feed=iter([{x: 1.0}, {x: 2.0}, {x: 4.0}]), track={"total": total}, folder=None,
        paused=True,
    )  # fmt: skip
    with closing(run):
        assert float(run.peek(x)) == 1.0 == float(run.peek(x))
        run.watch(x, "above", 1e9)
        run.resume()
        run.wait(PATIENCE)
        assert run.history["total"].tolist() == [1.0, 3.0, 7.0]


def test_the_epoch_of_a_rewind_begins_when_what_it_takes_back_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A view that looks meanwhile would take the old rows for those of the new epoch."""
    run = make_model().run(steps=5).wait(PATIENCE)
    truncate, seen = History.truncate, []

    def observed(history: History, step: int) -> None:
        seen.append((run.status().epoch, len(run.history.steps)))
        truncate(history, step)

    monkeypatch.setattr(History, "truncate", observed)
    run.rewind(2)
    assert seen == [(0, 5)]
    assert (run.status().epoch, len(run.history.steps)) == (1, 2)
