"""Trainings with replicas in real processes, undisturbed and with tasks that are killed."""

from __future__ import annotations

import pytest

from tests.cluster.trainings import Training

STEPS = 200


@pytest.mark.parametrize(("mode", "workers"), [("async", 2), ("sync", 2), ("backup", 3)])
@pytest.mark.slow
def test_replicas_train_one_model(tmp_path, mode, workers):
    with Training(tmp_path, STEPS, mode, ps=1, worker=workers) as training:
        found = training.await_end()
    assert max(f["steps"] for f in found) >= STEPS
    assert min(f["loss"] for f in found) < 1e-3
    if mode == "async":
        # Each update was counted once: nothing was lost or done twice.
        assert max(f["counted"] for f in found) == sum(f["taken"] for f in found)


@pytest.mark.parametrize(
    ("mode", "steps", "happenings"),
    [
        pytest.param(
            "async",
            600,
            [("await_steps", 60), ("kill", "ps", 0), ("start", "ps", 0)],
            id="a parameter server comes back with the last checkpoint",
        ),
        pytest.param(
            "async",
            800,
            [
                ("await_steps", 40),
                ("kill", "worker", 1),
                ("await_steps", 120),
                ("start", "worker", 1),
            ],
            id="the others go on without a worker, which returns",
        ),
        pytest.param(
            "async",
            800,
            [("await_steps", 40), ("kill", "worker", 0), ("start", "worker", 0)],
            id="a chief begins where the variables are",
        ),
        pytest.param(
            "sync",
            300,
            [("await_steps", 40), ("pause", "ps", 0, 3.0)],
            id="a task that stops for a while is waited for",
        ),
    ],
)
@pytest.mark.chaos
def test_a_training_goes_on_to_its_end_whatever_happens(tmp_path, mode, steps, happenings):
    with Training(tmp_path, steps, mode, ps=1, worker=2) as training:
        for name, *arguments in happenings:
            getattr(training, name)(*arguments)
        found = training.await_end()
    assert max(f["steps"] for f in found) >= steps
    assert min(f["loss"] for f in found) < 1e-3
