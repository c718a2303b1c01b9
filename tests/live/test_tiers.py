"""Runs that change from the interpreter to compiled code on the way, and repeat that exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

import workbench as wb
from tests.live.processes import kill, started, wait_for
from tests.live.support import (
    PATIENCE,
    Model,
    assert_same,
    closing,
    make_model,
    nothing_compiled,
    variables,
)  # fmt: skip
from workbench.core.runtime import cache, tiers
from workbench.live.program_log import Choice, ProgramLog
from workbench.live.run import Run

host = pytest.importorskip("workbench.core.codegen.host")
pytestmark = pytest.mark.skipif(host.obstacle() is not None, reason=str(host.obstacle()))

STEPS, SWAP = 120, 40


@pytest.fixture(autouse=True)
def tier(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sessions begin interpreted and go on compiled, whatever the environment says."""
    monkeypatch.setenv("WORKBENCH_TIER", "auto")
    with wb.Graph().as_default():
        wb.set_random_seed(3)
        yield


def swapped_run(model: Model, steps: int = STEPS, **options: Any) -> Run:
    """A run that has changed to compiled code after step `SWAP`, and is finished."""
    run = model.run(steps, paused=True, **options)
    with nothing_compiled():
        run.step(SWAP)
    run.resume()
    return run.wait(PATIENCE)


def choices(run: Run) -> list[tuple[int, str]]:
    return [(c.step, c.tier) for c in run._loop.engine.log.choices]


def test_the_change_is_noted_for_each_shape_of_batch() -> None:
    run = swapped_run(make_model())
    with closing(run):
        log = run._loop.engine.log
        # Batches of 16, 16, 16 and 2 rows.
        assert choices(run) == [
            (0, "interpreted"), (3, "interpreted"), (SWAP, "compiled"), (SWAP + 3, "compiled"),
        ]  # fmt: skip
        full, partial = dict(log.choices[0].feed or ()), dict(log.choices[1].feed or ())
        assert full == {"x:0": (16, 6), "y:0": (16, 1), "lr:0": ()}
        assert partial == {"x:0": (2, 6), "y:0": (2, 1), "lr:0": ()}
        codes = {c.code for c in log.choices if c.tier == "compiled"}
        assert len(codes) == 2 and all(len(code) == 16 for code in codes)
        assert len(json.dumps(log.to_json(STEPS))) < 800


@pytest.mark.parametrize("step", [0, 17, SWAP - 1, SWAP, SWAP + 1, 75, STEPS])
def test_rewound_it_changes_over_at_the_same_step(step: int) -> None:
    run = swapped_run(make_model())
    with closing(run):
        recorded, ended, made = run.history["loss"].copy(), variables(run), choices(run)
        run.rewind(step)
        run.resume()
        run.wait(PATIENCE)
        assert np.array_equal(run.history["loss"], recorded)
        assert_same(variables(run), ended)
        assert choices(run) == made


def test_the_tiers_differ() -> None:
    """Else the other tests would prove nothing."""
    model = make_model()
    run = swapped_run(model)
    with wb.Session(tier="interpreted") as session:
        session.state.entropy = run.entropy
        session.run(wb.global_variables_initializer())
        other = model.run(STEPS, session=session).wait(PATIENCE)
        with closing(run, other):
            assert not np.array_equal(run.history["loss"], other.history["loss"])
            assert np.allclose(run.history["loss"], other.history["loss"], rtol=1e-3)


def test_a_replay_and_forks_change_over_at_the_same_step() -> None:
    run = swapped_run(make_model())
    offspring = [run.replay(), run.fork(17), run.fork(75)]
    with closing(run, *offspring):
        for other in offspring:
            other.wait(PATIENCE)
            assert np.array_equal(other.history["loss"], run.history["loss"])
            assert_same(variables(other), variables(run))
            assert choices(other) == choices(run)
            again = other.fork(50).wait(PATIENCE)
            with closing(again):
                assert np.array_equal(again.history["loss"], run.history["loss"])


def test_what_nobody_ran_before_changes_over_when_it_can() -> None:
    """A rewound run goes on beyond where it was, and so does a fork."""
    run = make_model().run(None, paused=True)
    with closing(run):
        with nothing_compiled():
            run.step(SWAP)
        run.rewind(20)
        run.step(40)
        assert choices(run)[2:] == [(SWAP, "compiled"), (SWAP + 3, "compiled")]
        assert run._loop.engine.tier == run.status().tier == "compiled"
        # What was compiled once stays so, in a session that has just begun, too.
        other = run.fork(50, paused=True)
        with closing(other):
            other.step(40)
            assert choices(other) == choices(run)


def test_all_shapes_of_batches_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """More shapes than have programs of their own: one program serves them from then on."""
    monkeypatch.setattr(cache, "_COMPILED_SHAPES", 8)
    x = wb.placeholder(wb.float32, [None, 3])
    v = wb.Variable(np.ones((3, 2), np.float32))
    loss = wb.reduce_mean(wb.tanh(wb.matmul(x, v)))
    train = wb.train.GradientDescentOptimizer(0.1).minimize(loss)
    random = np.random.default_rng(0)
    rows = random.normal(size=(40, 3)).astype(np.float32)
    feed = lambda step: {x: rows[: 1 + step * 7 % 12]}  # noqa: E731
    run = wb.run(train, 60, feed, {"loss": loss}, folder=None, paused=True)
    with closing(run):
        with nothing_compiled():
            run.step(20)
        run.resume()
        run.wait(PATIENCE)
        recorded = run.history["loss"].copy()
        assert any(c.feed is None for c in run._loop.engine.log.choices)
        for other in (run.replay(), run.fork(15)):
            with closing(other):
                other.wait(PATIENCE)
                assert np.array_equal(other.history["loss"], recorded)
        run.rewind(3)
        run.resume()
        assert np.array_equal(run.wait(PATIENCE).history["loss"], recorded)


def test_what_was_watched_is_fetched_again() -> None:
    model = make_model()
    run = model.run(STEPS, paused=True)
    with closing(run):
        run.step(10)
        watch = run.watch("dense/MatMul:0", when="above", threshold=1e9)
        with nothing_compiled():
            run.step(30)
        run.unwatch(watch)
        run.step(10)
        run.watch(model.loss)
        run.resume()
        run.wait(PATIENCE)
        log = run._loop.engine.log
        assert log.watched == [(10, ("dense/MatMul:0",)), (40, ()), (50, ("loss:0",))]
        again = run.replay().wait(PATIENCE)
        with closing(again):
            assert np.array_equal(again.history["loss"], run.history["loss"])
            assert_same(variables(again), variables(run))
            assert again._loop.engine.log.to_json(0) == log.to_json(0)
            assert not [e for e in again.history.events if e.kind == "log"]


def one_call() -> Run:
    """A run whose steps become one call of compiled code; two sizes of batches come in turn."""
    random = np.random.default_rng(0)
    xs = random.normal(size=(40, 6)).astype(np.float32)
    x = wb.placeholder(wb.float32, [None, 6], name="x")
    lr = wb.hyperparameter("lr", 0.1)
    v = wb.Variable(random.normal(size=(6, 5)).astype(np.float32))
    loss = wb.reduce_mean(wb.square(wb.tanh(wb.matmul(x, v)) - wb.sigmoid(x[:, :5])))
    train = wb.train.MomentumOptimizer(lr, 0.9).minimize(loss)
    feed = wb.batches({x: xs}, 16, shuffle=True, seed=1)
    return wb.run(train, STEPS, feed, {"loss": loss}, folder=None, paused=True)


def test_steps_that_are_one_call_come_back_too() -> None:
    run = one_call()
    with closing(run):
        with nothing_compiled():
            run.step(SWAP)
        run.step(30)
        assert run._loop.engine._programs._fast is not None
        run.set(lr=0.02)
        run.resume()
        recorded, ended = run.wait(PATIENCE).history["loss"].copy(), variables(run)
        again = run.replay().wait(PATIENCE)
        with closing(again):
            assert np.array_equal(again.history["loss"], recorded)
            assert_same(variables(again), ended)
        for step in (SWAP + 1, SWAP - 3, 5):
            run.rewind(step)
            run.step(SWAP + 30 - step)
            assert np.array_equal(run.history["loss"], recorded[: SWAP + 30])
        assert choices(run) == [
            (0, "interpreted"), (2, "interpreted"), (SWAP, "compiled"), (SWAP + 1, "compiled"),
        ]  # fmt: skip


def test_watching_leaves_compiled_numbers_alone() -> None:
    run = swapped_run(make_model())
    other = run.fork(60, paused=True)
    with closing(run, other):
        other.watch("dense/MatMul:0", when="above", threshold=1e9)
        other.step(20)
        other.watch("dense_1/BiasAdd:0", when="above", threshold=1e9)
        other.resume()
        other.wait(PATIENCE)
        assert np.array_equal(other.history["loss"], run.history["loss"])
        assert_same(variables(other), variables(run))
        assert not [e for e in other.history.events if "last places" in e.text]


def test_watching_a_compiled_run_keeps_it_compiled() -> None:
    run = make_model().run(None, paused=True)
    with closing(run):
        with nothing_compiled():
            run.step(10)
        run.step(10)
        assert run.status().tier == "compiled"
        with nothing_compiled():
            run.watch("dense/MatMul:0", when="above", threshold=1e9)
            run.step(4)
            assert run.status().tier == "compiled"
        again = run.replay().wait(PATIENCE)
        with closing(again):
            assert np.array_equal(again.history["loss"], run.history["loss"])


def resumed(folder: Path, **options: Any) -> Run:
    return wb.resume(folder, **options).wait(PATIENCE)


@pytest.mark.parametrize("checkpoint", [10, 90])
def test_a_killed_run_goes_on_as_it_was(tmp_path: Path, checkpoint: int) -> None:
    """Killed in a process that has changed over; this one repeats it from before and after that."""
    worker = started(tmp_path, "tiers", str(checkpoint))
    try:
        wait_for(worker, "saved")
    finally:
        kill(worker)
    (found,) = wb.runs(tmp_path)
    recorded = found.history["loss"]
    assert found.state == "interrupted" and len(recorded) == 100
    run = resumed(tmp_path / "killed", steps=110)
    with closing(run):
        assert [e.step for e in run.history.events if e.kind == "resume"] == [checkpoint]
        assert not [e for e in run.history.events if e.kind == "log"]
        assert np.array_equal(run.history["loss"][:100], recorded)
        assert [c for c in choices(run) if c[1] == "compiled"] == [
            (SWAP, "compiled"), (SWAP + 3, "compiled")
        ]  # fmt: skip
        again = run.replay().wait(PATIENCE)
        with closing(again):
            assert np.array_equal(again.history["loss"][:100], recorded)
            assert_same(variables(again), variables(run))


def finished_in(folder: Path) -> np.ndarray[Any, Any]:
    """The losses of a run that has changed over, and ended before its last checkpoint was kept."""
    run = swapped_run(make_model(), folder=folder, name="a", checkpoint_steps=10)
    with closing(run):
        return run.history["loss"].copy()


def told_again(run: Any) -> list[str]:
    """Takes the steps from 20 on again: what the log says."""
    run.rewind(20)
    run.resume()
    run.wait(PATIENCE)
    return [e.text for e in run.history.events if e.kind == "log"]


def test_without_llvm_a_run_says_so_and_goes_on(tmp_path: Path) -> None:
    recorded = finished_in(tmp_path)
    with mock.patch.object(tiers, "_compile", lambda *_: "llvmlite is not installed"):
        run = wb.resume(tmp_path / "a", paused=True)
        with closing(run):
            texts = told_again(run)
            assert "steps from 41 on were run by compiled code" in texts[0]
            assert "llvmlite is not installed" in texts[0]
            found = run.history["loss"]
            assert np.array_equal(found[:SWAP], recorded[:SWAP])
            assert not np.array_equal(found, recorded)
            assert np.allclose(found, recorded, rtol=1e-3)
            assert run.status().tier == "interpreted"


def test_other_code_is_told(tmp_path: Path) -> None:
    recorded = finished_in(tmp_path)
    path = tmp_path / "a" / "run.json"
    document = json.loads(path.read_text())
    for each in document["programs"]["choices"]:
        if "code" in each:
            each["code"] = "0" * 16
    path.write_text(json.dumps(document))
    run = wb.resume(tmp_path / "a", paused=True)
    with closing(run):
        texts = told_again(run)
        assert len(texts) == 2 and "by the code 0000000000000000, and are now by" in texts[0]
        assert np.array_equal(run.history["loss"], recorded)
        # What runs now is the record from here on.
        assert all(c.code != "0" * 16 for c in run._loop.engine.log.choices if c.step >= 20)


def test_a_run_from_before_there_was_a_record_was_interpreted(tmp_path: Path) -> None:
    finished_in(tmp_path)
    path = tmp_path / "a" / "run.json"
    document = json.loads(path.read_text())
    del document["programs"]
    path.write_text(json.dumps(document))
    run = wb.resume(tmp_path / "a", paused=True, steps=STEPS + 30)
    with closing(run):
        run.rewind(SWAP + 20)
        run.resume()
        run.wait(PATIENCE)
        assert {tier for step, tier in choices(run) if step < STEPS} == {"interpreted"}


def test_a_log_as_plain_values() -> None:
    log = ProgramLog()
    feed = (("x:0", (8, 2)), ("lr:0", ()))
    log.note(Choice(0, feed, "interpreted"))
    log.note(Choice(9, feed, "compiled", "5eed", ("loss:0",)))
    log.note(Choice(30, None, "interpreted"))
    log.note_watched(9, ["loss:0"])
    again = ProgramLog.from_json(json.loads(json.dumps(log.to_json(50))), 40)
    assert (again.choices, again.watched, again.until) == (log.choices, log.watched, 50)
    assert again.at(8, feed) == Choice(0, feed, "interpreted")
    assert again.at(8, (("x:0", (1, 2)), ("lr:0", ()))) is None
    assert again.at(31, feed).feed is None
    assert [again.next_after(s) for s in (-1, 0, 9, 30, 50)] == [0, 9, 30, 50, None]
