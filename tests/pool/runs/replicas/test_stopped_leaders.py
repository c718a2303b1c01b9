"""A leader that is stopped, and taken for dead: another one leads, and when it is there again what
it says and keeps is of no account."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import crew
from tests.pool.runs.replicas.models import Model, assert_each_step_once, goes_on
from tests.pool.runs.support import eventually
from tests.pool.runs.workers import HostProcess
from workbench.pool.runs.following import Follower
from workbench.pool.runs.place import ask


def files(process: HostProcess) -> dict[str, int]:
    """The files of a process's runs, and when each was written."""
    found = [path for path in process.folder.rglob("*") if path.is_file()]
    return {str(path): path.stat().st_mtime_ns for path in found}


def cards(process: HostProcess) -> list[tuple[str, str]]:
    """The runs that a process knows, and their states."""
    return [(card["run"], card["state"]) for card in ask(process.place, "list", {}).fields["runs"]]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["sync", "async", "parameter server"])
def test_who_returns_leads_no_more(
    tmp_path: Path, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        # Of what it led it keeps what it had, and writes no more of it.
        eventually(lambda: cards(stopped) == [(run.id, "interrupted")])
        kept = files(stopped)
        goes_on(run)
        assert files(stopped) == kept
        if strategy == "sync":
            assert_each_step_once(run, model)
        else:
            last = run.pause()
            assert strategy == "async" or run.eval(model.count) == last
        # Whoever looks for the run finds the one that goes on.
        run.detach()
        with monkeypatch.context() as patch:
            # At once, and not when it has been asked again what is new.
            patch.setattr(Follower, "start", lambda follower: None)
            [found] = pool.runs()
        assert found is not run and found.id == run.id
        assert (found.state, found.epoch) == ("paused", 1)
        found._follower.start()
        found.stop()
