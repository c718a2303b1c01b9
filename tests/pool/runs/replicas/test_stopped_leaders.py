"""A leader that is stopped, and taken for dead: another one leads, and when it is there again what
it says and keeps is of no account."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import Crew, crew
from tests.pool.runs.replicas.test_replicated_runs import Model, assert_each_step_once, goes_on
from tests.pool.runs.test_remote_run import eventually
from workbench.live.folder import project_runs
from workbench.live.run_record import RunRecord


def records(pool: Crew, number: int) -> list[RunRecord]:
    """The records of runs in the folder of a process."""
    places = project_runs(str(pool.processes[number].folder))
    return [RunRecord(place) for place in places]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["sync", "async", "parameter server"])
def test_who_returns_leads_no_more(tmp_path: Path, strategy: str) -> None:
    model = Model()
    with crew(tmp_path, 3) as pool:
        run = model.run(
            pool, None, replicas=3, strategy=strategy, folder="runs", checkpoint_seconds=0.1
        )
        run.wait(PATIENCE, step=10)
        run.wait_for_replicas(3, PATIENCE)
        leader = pool.leader(run)
        stopped = pool.processes[leader]
        stopped.process.send_signal(signal.SIGSTOP)
        try:
            pool._boards.left(stopped.address)
            eventually(lambda: pool.leader_of(run.id) not in (None, stopped.address))
            eventually(lambda: len(run.replicas) == 2 and run.epoch == 1)
            goes_on(run)
        finally:
            stopped.process.send_signal(signal.SIGCONT)
        # It serves again, and takes part like any other.
        pool._boards.joined(stopped.address, f"worker {leader}")
        eventually(lambda: len(run.replicas) == 3)
        run.wait_for_replicas(3, PATIENCE)
        goes_on(run)
        assert pool.leader(run) != leader
        assert run.epoch == 1, "nobody took the run back"
        eventually(lambda: len(pool.runs()) == 1)
        if strategy == "sync":
            assert_each_step_once(run, model)
        else:
            last = run.pause()
            if strategy == "parameter server":
                assert run.eval(model.count) == last
        run.stop()
