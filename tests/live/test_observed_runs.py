"""Runs that somebody looks at: the same numbers as unobserved, and frames while they go on."""

from __future__ import annotations

import time

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE, make_model, variables


@pytest.fixture(autouse=True)
def graph():
    with wb.Graph().as_default() as made:
        wb.set_random_seed(3)
        yield made


def waited(get, run):
    """What `get` gives as soon as it gives something, while the run goes on."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = get()
        if found is not None:
            return found
        assert run.is_live
        time.sleep(0.005)
    raise TimeoutError("nothing was observed")


def test_an_observed_run_gives_the_same_numbers():
    model = make_model()
    with model.run(400, paused=True) as run:
        observation = run.observe(["time", "mean", "nonfinite"])
        tap = run.tap(model.loss)
        # A short run is over before what looks into it is written, where others compile too.
        while observation.latest() is None and run.step_number < 300:
            run.step(1)
            time.sleep(0.05)
        run.resume()
        run.wait(PATIENCE)
        seen = variables(run), run.history["loss"].tobytes()
        assert run._loop.observer.count > 0
        assert observation.latest() is not None
        steps, values = tap.history
        np.testing.assert_array_equal(values, run.history["loss"][steps - 1])
        with run.replay() as again:
            again.wait(PATIENCE)
            plain = variables(again), again.history["loss"].tobytes()
    assert seen[1] == plain[1]
    for name, value in seen[0].items():
        np.testing.assert_array_equal(value, plain[0][name])


def test_frames_come_while_it_runs(graph):
    model = make_model()
    with model.run(None) as run:
        observation = run.observe(["mean", "calls"])
        first = waited(observation.latest, run)

        def newer():
            frame = observation.latest()
            return frame if frame is not first else None

        second = waited(newer, run)
        assert second.step > first.step
        place = model.loss.op._id - 1
        assert second.channels["calls"][place] == 1
        assert 0 < second.channels["mean"][place] < 10
        assert second.channels["mean"].size == len(graph.get_operations())
        assert run.status().observer_cost > 0
        observation.close()
        assert run.status().observer_cost == 0


def test_taps_follow_a_rewind():
    model = make_model()
    with model.run(None) as run:
        tap = run.tap("loss:0", samples=10)
        waited(tap.latest, run)
        run.pause()
        before = tap.latest().step
        run.rewind(0)
        run.resume()
        sample = waited(lambda: s if (s := tap.latest()).step != before else None, run)
        assert np.isfinite(sample.array)


def test_a_closed_run_is_observed_no_more():
    model = make_model()
    run = model.run(None)
    observation = run.observe(["time"])
    run.close()
    assert not run._loop.observer.active
    observation.close()
