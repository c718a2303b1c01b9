"""Trainings with replicas in real processes, undisturbed and with tasks that are killed."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.cluster.trainings import Training

#: A worker learns in this time that a task was started again, and begins anew.
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


@pytest.mark.chaos
def test_a_parameter_server_that_is_killed_comes_back_with_the_last_checkpoint(tmp_path):
    with Training(tmp_path, 600, "async", ps=1, worker=2) as training:
        training.await_steps(60)
        training.kill("ps", 0)
        training.start("ps", 0)
        found = training.await_end()
    assert max(f["steps"] for f in found) >= 600
    assert min(f["loss"] for f in found) < 1e-3


@pytest.mark.chaos
def test_workers_go_on_without_one_that_is_killed_and_it_returns(tmp_path):
    with Training(tmp_path, 800, "async", ps=1, worker=2) as training:
        training.await_steps(40)
        training.kill("worker", 1)
        training.await_steps(120)
        training.start("worker", 1)
        found = training.await_end()
    assert max(f["steps"] for f in found) >= 800


@pytest.mark.chaos
def test_a_chief_that_is_killed_begins_where_the_variables_are(tmp_path):
    with Training(tmp_path, 800, "async", ps=1, worker=2) as training:
        training.await_steps(40)
        training.kill("worker", 0)
        training.start("worker", 0)
        found = training.await_end()
    assert max(f["steps"] for f in found) >= 800
    assert min(f["loss"] for f in found) < 1e-3


@pytest.mark.chaos
def test_a_task_that_stops_for_a_while_is_waited_for(tmp_path):
    with Training(tmp_path, 300, "sync", ps=1, worker=2) as training:
        training.await_steps(40)
        process = training.processes["ps:0"]
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(3.0)
        os.kill(process.pid, signal.SIGCONT)
        found = training.await_end()
    assert max(f["steps"] for f in found) >= 300
