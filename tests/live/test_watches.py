"""Watches: the run pauses in the very step, and tells which operation, line and inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE, assert_same, closing, make_model, variables
from workbench.live.reports import WatchStop


def falling(**options: Any) -> tuple[Any, dict[str, Any]]:
    """A run whose `x` is 3, 2, 1, 0, -1, ... and whose logarithm ends in -inf, then NaN."""
    v = wb.Variable(4.0, name="v")
    x = wb.assign_sub(v, 1.0, name="x")
    logarithm = wb.log(x, name="logarithm")
    loss = wb.multiply(logarithm, 2.0, name="loss")
    run = wb.run(loss, steps=20, track={"loss": loss}, folder=None, paused=True, **options)
    return run, {"v": v, "x": x, "logarithm": logarithm, "loss": loss}


def test_not_finite_finds_the_first_operation() -> None:
    run, made = falling()
    with closing(run):
        run.watch(made["loss"])
        run.resume()
        assert run.wait(PATIENCE) is run
        assert (run.state, run.step_number) == ("paused", 4)
        report = run.stopped_by
        assert isinstance(report, WatchStop)
        assert (report.watch, report.tensor, report.step) == (
            "loss:0 is not finite", "loss:0", 4,
        )  # fmt: skip
        assert report.operation == "logarithm"
        assert report.line is not None
        assert report.line.text == 'logarithm = wb.log(x, name="logarithm")'
        assert report.line.file.endswith("test_watches.py")
        ((tensor, shape, summary),) = [(i.tensor, i.shape, i.summary) for i in report.inputs]
        assert (tensor, shape, summary) == ("x:0", "float32[]", "0.0")
        assert run.history.events[-1].kind == "watch"
        assert "'logarithm' was made at" in repr(run)
        said = "step 4: loss:0 is not finite: -inf, first in 'logarithm'"
        assert report.headline == said and str(report).startswith(said)
        assert run.history.events[-1].text == f"paused at {said}"
        assert str(run.history.events[-1]) == f"step 4: watch: paused at {said}"
        # The step was done once, whatever it took to find out.
        assert float(run.eval(made["v"])) == 0.0
        run.unwatch(next(iter(run.watches)))
        run.resume()
        run.wait(PATIENCE)
        assert run.state == "finished" and run.stopped_by is None
        assert float(run.eval(made["v"])) == -16.0


@pytest.mark.parametrize(
    ("when", "threshold", "step", "text"),
    [
        ("below", 1.5, 3, "x:0 is below 1.5"),
        ("above", 2.5, 1, "x:0 is above 2.5"),
        (lambda value: value == 2, None, 2, "x:0 meets <lambda>"),
    ],
)
def test_conditions(when: Any, threshold: Any, step: int, text: str) -> None:
    run, made = falling()
    with closing(run):
        run.watch(made["x"], when, threshold)
        run.resume()
        run.wait(PATIENCE)
        assert (run.state, run.step_number) == ("paused", step)
        assert run.stopped_by.watch == text and run.stopped_by.operation == "x"


@pytest.mark.usefixtures("one_tier")
def test_watching_and_inspecting_leave_the_numbers_alone() -> None:
    model = make_model()
    calm, watched = model.run(40, seed=1).wait(PATIENCE), model.run(40, seed=1, paused=True)
    with closing(calm, watched):
        losses = calm.history["loss"]
        watched.watch("dense/MatMul:0", "above", float("inf"))
        name = watched.watch(model.loss, "below", float(losses[24]) + 1e-9)
        watched.resume()
        watched.wait(PATIENCE)
        assert watched.state == "paused"
        hit = watched.step_number
        assert hit == 1 + int(np.flatnonzero(losses < losses[24] + 1e-9)[0])
        assert [i.tensor for i in watched.stopped_by.inputs]
        watched.unwatch(name)
        watched.resume()
        watched.wait(PATIENCE)
        assert np.array_equal(losses, watched.history["loss"])
        assert_same(variables(calm), variables(watched))


def test_a_gradient_can_be_watched_by_name() -> None:
    model = make_model()
    (gradient,) = wb.gradients(model.loss, [wb.trainable_variables()[0]])
    run = model.run(None, paused=True)
    with closing(run):
        run.watch(gradient.name, lambda value: np.abs(value).max() > 0)
        run.resume()
        run.wait(PATIENCE)
        assert run.step_number == 1
        assert all("float32" in i.shape for i in run.stopped_by.inputs)


@pytest.mark.parametrize(
    ("tensor", "when", "threshold", "words"),
    [
        ("x:0", "odd", None, "when must be 'not finite', 'above', 'below'"),
        ("x:0", "above", None, "'above' needs a number as threshold"),
        ("x:0", "not finite", 3, "takes no threshold"),
        ("x:0", len, 3, "takes no threshold"),
        ("y:0", "not finite", None, "does not exist"),
        ("text:0", "not finite", None, "is string"),
        ("fed:0", "not finite", None, "You must feed a value"),
        ("other:0", "not finite", None, "would change the run.*'other'"),
    ],
)
def test_wrong_watches_change_nothing(tensor: str, when: Any, threshold: Any, words: str) -> None:
    wb.constant("text", name="text")
    wb.placeholder(wb.float32, [], name="fed")
    wb.assign_add(wb.Variable(0.0, name="w"), 1.0, name="other")
    run, _ = falling()
    with closing(run):
        with pytest.raises((ValueError, KeyError, TypeError, wb.errors.OpError), match=words):
            run.watch(tensor, when, threshold)
        assert run.watches == {} and run.history.events == []
        run.step(2)
        with pytest.raises(ValueError, match="no watch 'watch-9'; the run has none"):
            run.unwatch("watch-9")


def test_a_condition_that_raises_is_dropped_and_the_run_goes_on() -> None:
    run, made = falling()
    with closing(run):
        run.watch(made["x"], lambda value: value.no_such_attribute)
        run.resume()
        run.wait(PATIENCE)
        assert run.state == "finished" and run.watches == {}
        assert any("no_such_attribute" in e.text for e in run.history.events)


def test_without_a_way_back_the_report_lacks_the_inputs() -> None:
    x = wb.placeholder(wb.float32, [], name="x")
    root = wb.sqrt(x, name="root")
    run = wb.run(
        root, feed=({x: 2.0 - i} for i in range(9)), folder=None, paused=True,
    )  # fmt: skip
    with closing(run):
        run.watch(root)
        run.resume()
        run.wait(PATIENCE)
        assert run.step_number == 4
        assert run.stopped_by.operation == "root" and run.stopped_by.inputs == ()


def test_the_last_step_is_watched_too() -> None:
    run, made = falling()
    with closing(run):
        run.watch(made["x"], "below", -15.5)
        run.resume()
        run.wait(PATIENCE)
        assert run.state == "finished"
        assert run.stopped_by is not None and run.stopped_by.step == 20


def test_status_carries_the_report() -> None:
    run, made = falling()
    with closing(run):
        run.watch(made["loss"])
        run.resume()
        run.wait(PATIENCE)
        found = run.status().to_json()["stopped_by"]
        assert found["operation"] == "logarithm" and found["inputs"][0]["tensor"] == "x:0"
        assert found["line"]["text"].startswith("logarithm = ")
        assert run.status().values["loss"] == -np.inf
        assert run.status().to_json()["values"] == {"loss": "-Infinity"}
        assert WatchStop.from_json(found).operation == "logarithm"
