"""Runs that three workers of a pool train together, whose workers are killed and stopped, whoever
leads: the run goes on, and its steps and positions in the data are exact.

WORKBENCH_POOL_RUN_EVENTS is how often each is disturbed, WORKBENCH_POOL_RUN_SEED what is drawn
from.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.chaos.remains import Remains
from tests.chaos.sync_client import ROWS, WANTED, loss_of
from tests.pool.homes import home_at
from tests.pool.runs.support import eventually
from workbench.pool.processes import wait_for

pytest.importorskip("distributed")

EVENTS = int(os.environ.get("WORKBENCH_POOL_RUN_EVENTS", "4"))
SEED = int(os.environ.get("WORKBENCH_POOL_RUN_SEED", "1"))
PATIENCE = 120.0
#: As many positions as there can be.
POSITIONS = 1 << 20
#: A power of two: what is noted for a position is exactly this, or a part of it.
RATE = 0.0625
#: What is done to whom; a process is stopped for so many seconds at most.
KINDS = ("kill", "kill", "stop")
STOP_SECONDS = 3.0


class Model:
    """A linear model; the optimizer notes in `used` which rows it was given, in their order."""

    def __init__(self) -> None:
        self.position = wb.placeholder(wb.int64, [None], name="position")
        self.weights = wb.Variable(np.zeros((3, 1)), name="weights")
        self.used = wb.Variable(np.zeros(POSITIONS), name="used")
        self.count = wb.train.get_or_create_global_step()
        rows = wb.gather(wb.constant(ROWS), self.position % 64)
        error = wb.reduce_mean(wb.square(wb.matmul(rows, self.weights - WANTED)))
        loss = error - wb.reduce_sum(wb.gather(self.used, self.position))
        optimizer = wb.train.GradientDescentOptimizer(RATE)
        self.train = optimizer.minimize(loss, global_step=self.count)
        self.error = error
        self.data = wb.batches({self.position: np.arange(POSITIONS)}, 1)

    def run(self, pool: Any, strategy: str) -> Any:
        return wb.run(
            self.train,
            feed=self.data,
            track={"error": self.error},
            pool=pool,
            replicas=3,
            strategy=strategy,
            name="disturbed",
            folder="runs",
            checkpoint_seconds=0.5,
        )


class Disturbed:
    """A run and those who train it."""

    def __init__(self, pool: Any, run: Any) -> None:
        self.pool, self.run = pool, run

    def settled(self) -> None:
        """Waits until all workers train it, and it goes on."""
        self.pool.wait_for_workers(3, PATIENCE)
        self.run.wait_for_replicas(self.pool.workers, PATIENCE)
        before = self.run.step_number
        eventually(lambda: self.run.state == "running" and self.run.step_number > before + 3)

    def process(self, leads: bool, choose: random.Random) -> int:
        """A worker that leads, or one that does not."""
        found = [each["pid"] for each in self.run.replicas if each["leads"] == leads]
        return choose.choice(sorted(found))

    def disturb(self, kind: str, pid: int, seconds: float) -> None:
        """Does something to a worker."""
        if kind == "kill":
            os.kill(pid, signal.SIGKILL)
            assert wait_for(lambda: pid not in [w.pid for w in self.pool.workers], PATIENCE)
            return
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)


def check(run: Any, model: Model, strategy: str) -> int:
    """That each step was taken once, with data of its own."""
    last = run.pause()
    used, weights, count = run.eval([model.used, model.weights, model.count])
    times = used / RATE
    assert loss_of(weights) < 1e-9
    # Where nobody waits for anybody, the steps of others are not in it.
    assert (np.diff(run.history.steps) > 0).all() and run.history.steps[-1] <= last
    assert last < POSITIONS // 3, "there were too few positions"
    if strategy == "async":
        # What nobody knew of the dead is no part of what is left.
        assert times.max() <= 1 + 1e-9, np.flatnonzero(times > 1 + 1e-9)
        return int(last)
    assert count == last
    if strategy == "parameter server":
        assert set(np.unique(times)) <= {0.0, 1.0} and times.sum() == last
        return int(last)
    assert np.array_equal(run.history.steps, np.arange(1, last + 1))
    taken = run.status().taken
    wanted = np.zeros(POSITIONS)
    ends = [row[0] for row in taken[1:]] + [last]
    for (first, batch, size), end in zip(taken, ends, strict=True):
        wanted[batch : batch + (end - first) * size] += 1 / size
    np.testing.assert_allclose(times, wanted, rtol=1e-9)
    return int(last)


@pytest.mark.chaos
@pytest.mark.timeout(60 * 60)
@pytest.mark.parametrize("strategy", ["sync", "async", "parameter server"])
def test_a_run_goes_on_whoever_dies(
    tmp_path: Path, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = random.Random(SEED)
    with home_at(tmp_path / "home"), Remains(tmp_path) as remains:
        for name, value in remains.environment.items():
            monkeypatch.setenv(name, value)
        pool = wb.pool.local(3, name="disturbed")
        try:
            model = Model()
            run = model.run(pool, strategy)
            disturbed = Disturbed(pool, run)
            disturbed.settled()
            for number in range(EVENTS):
                kind, seconds = choose.choice(KINDS), choose.uniform(0.1, STOP_SECONDS)
                # Each strategy meets both in every run.
                leads = bool(number % 2)
                disturbed.disturb(kind, disturbed.process(leads, choose), seconds)
                disturbed.settled()
                whom = "the leader" if leads else "a follower"
                print(f"{number}: {kind} of {whom}, at step {run.step_number}")
            last = check(run, model, strategy)
            run.resume()
            disturbed.settled()
            assert check(run, model, strategy) > last
            run.stop()
            run.detach()
        finally:
            pool.close()
    print(f"{strategy}, seed {SEED}: {EVENTS} events, {last} steps")
