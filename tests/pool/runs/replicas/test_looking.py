"""Looking into the steps of replicas: values and times on operations, taps and watches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import Crew, crew
from tests.pool.runs.replicas.models import Model
from tests.pool.runs.support import eventually


def place(tensor: Any) -> int:
    return int(tensor.op._id) - 1


@pytest.mark.parametrize("strategy", ["sync", "async", "parameter server"])
def test_a_graph_view_has_what_the_leader_computes(two: Crew, strategy: str) -> None:
    model = Model()
    run = model.run(two, None, strategy=strategy)
    run.wait_for_replicas(2, PATIENCE)
    seen, tap = run.observe(["time", "calls", "mean"]), run.tap(model.loss)
    update = next(op for op in model.graph.get_operations() if op.type == "ApplyGradientDescent")
    gradient = run.tap(update.inputs[2])

    def is_all_there() -> bool:
        frame = seen.latest()
        return (
            frame is not None
            and tap.latest() is not None
            and gradient.latest() is not None
            and np.isfinite(frame.channels["time"][place(model.loss)])
            and np.isfinite(frame.channels["mean"][place(model.loss)])
        )

    eventually(is_all_there)
    frame = seen.latest()
    assert frame.channels["time"][place(model.loss)] > 0
    assert gradient.latest().shape == (3,)
    leads = two.leader(run)
    if strategy != "parameter server":
        # Where the leader applies gradients, that is seen too.
        eventually(lambda: seen.latest().channels["calls"][update._id - 1] >= 1)
        assert seen.latest().channels["time"][update._id - 1] > 0
    first = seen.latest().step
    eventually(lambda: seen.latest().step > first)
    last = run.pause()
    assert leads == two.leader(run) and 0 < first < seen.latest().step <= last
    # What the tap has sampled is what was recorded of those steps.
    steps, values = tap.history
    if strategy == "sync":
        known = dict(zip(run.history.steps.tolist(), run.history["loss"].tolist(), strict=True))
        assert [known[step] for step in steps.tolist()] == values.tolist()
    seen.close()
    tap.close()
    run.close()


@pytest.mark.parametrize("strategy", ["sync", "async", "parameter server"])
def test_a_watch_says_what_went_into_the_value_in_that_step(two: Crew, strategy: str) -> None:
    model = Model()
    # Each replica has other noise in each step.
    noisy = wb.add(model.loss, wb.random_uniform([], dtype=wb.float64), name="noisy")
    run = model.run(two, None, strategy=strategy, track={"noisy": noisy}, paused=True)
    run.step(3)
    run.watch(noisy, "above", -1.0)
    run.resume()
    run.wait(PATIENCE)
    report = run.stopped_by
    assert run.state == "paused" and report.operation == "noisy"
    assert [each.tensor for each in report.inputs] == [model.loss.name, "random_uniform:0"]
    value = run.history["noisy"][run.history.steps == report.step][0]
    assert sum(float(each.summary) for each in report.inputs) == pytest.approx(value, rel=1e-3)
    run.close()


def test_a_watch_names_the_first_that_is_not_finite(two: Crew) -> None:
    model = Model()
    near = wb.log(model.loss - model.loss + 1.0 - wb.cast(model.count >= 3, wb.float64))
    late = wb.multiply(near, 2.0)
    run = model.run(two, None, track={"late": late}, paused=True)
    run.watch(late)
    run.resume()
    run.wait(PATIENCE)
    report = run.stopped_by
    assert (report.operation, report.step) == (near.op.name, 4), report
    np.testing.assert_allclose(run.eval(model.w), model.descend([2] * 4, [0.125] * 4), rtol=1e-6)
    run.close()


def test_what_all_replicas_do_together_is_not_looked_at_before(two: Crew) -> None:
    """Fetched before the average is known, an update would be made twice."""
    model = Model()
    update = model.graph.get_operation_by_name("GradientDescent").outputs[0]
    for strategy in ("sync", "parameter server"):
        with pytest.raises(ValueError, match="replicas do together"):
            model.run(two, 3, strategy=strategy, track={"count": update})
    run = model.run(two, 3, strategy="async", track={"count": update})
    run.wait(PATIENCE)
    run.close()
    run = model.run(two, None, paused=True)
    with pytest.raises(ValueError, match="change the run"):
        run.watch(update, "above", 3)
    tap = run.tap(update)
    run.resume()
    eventually(lambda: tap.failed)
    run.close()


@pytest.mark.slow
def test_who_leads_next_is_looked_at_and_watched_as_the_one_before(tmp_path: Any) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run = model.run(pool, None)
        run.wait_for_replicas(2, PATIENCE)
        name = run.watch(model.loss, "above", 1e9)
        gone = run.watch(model.loss, "above", 2e9)
        run.unwatch(gone)
        seen, tap = run.observe(["time"]), run.tap(model.loss)
        eventually(lambda: seen.latest() is not None and tap.latest() is not None)
        pool.kill(pool.leader(run))
        eventually(lambda: run.epoch == 1 and run.state == "running")
        at = run.step_number
        eventually(lambda: seen.latest().step > at and tap.latest().step > at)
        assert run.watches == {name: "loss:0 is above 1e+09"}
        assert run.watch(model.loss, "above", -1.0) != name
        assert run.wait(PATIENCE).stopped_by.operation == "loss"
        run.close()
