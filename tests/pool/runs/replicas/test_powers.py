"""What a run of this process can do, each run of a pool can: one table for all kinds of runs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import Crew
from tests.pool.runs.replicas.models import Model
from tests.pool.runs.support import eventually
from workbench.live import commands as c
from workbench.live.errors import NoWayBackError
from workbench.live.run import Run
from workbench.pool.runs.remote_run import RemoteRun

KINDS: dict[str, dict[str, Any]] = {
    "here": {"replicas": 1},
    "worker": {"replicas": 1},
    "sync": {"replicas": 2},
    "async": {"replicas": 2, "strategy": "async"},
    "parameter server": {"replicas": 2, "strategy": "parameter server"},
}


class Case:
    """A run that is paused after some steps, its model, and what kind it is."""

    def __init__(self, kind: str, pool: Any) -> None:
        self.kind, self.model = kind, Model()
        where = None if kind == "here" else pool
        self.run = self.model.run(where, None, paused=True, **KINDS[kind])
        self.run.step(4)

    @property
    def is_replicated(self) -> bool:
        return bool(KINDS[self.kind]["replicas"] > 1)

    @property
    def waits_for_nobody(self) -> bool:
        return self.kind in ("async", "parameter server")


def goes_on(case: Case) -> None:
    run = case.run
    at = run.resume()
    run.wait(PATIENCE, step=at + 3)
    assert run.pause() >= at + 3 and run.state == "paused"


def steps(case: Case) -> None:
    before = case.run.step_number
    after = case.run.step(2)
    assert after == case.run.step_number >= before + 2
    assert case.waits_for_nobody or after == before + 2


def sets(case: Case) -> None:
    at = case.run.set(rate=0.0625)
    assert at == case.run.step_number and case.run.hyperparameters == {"rate": 0.0625}
    [described] = case.run.status().hyperparameters
    assert (described.name, described.value, described.low) == ("rate", 0.0625, 0.0)
    event = case.run.history.events[-1]
    assert (event.kind, event.step, event.values) == ("set", at, {"rate": 0.0625})


def watches(case: Case) -> None:
    run = case.run
    name = run.watch(case.model.loss, "above", 1e9)
    assert run.watches == {name: "loss:0 is above 1e+09"}
    run.unwatch(name)
    assert run.watches == {} and run.stopped_by is None
    name = run.watch(case.model.loss, "above", -1.0)
    run.resume()
    assert run.wait(PATIENCE).state == "paused" and run.stopped_by.operation == "loss"
    run.unwatch(name)


def looks(case: Case) -> None:
    run = case.run
    seen, tap = run.observe(["time"]), run.tap(case.model.loss)
    told: list[Any] = []
    end = run.subscribe(told.append)
    run.resume()
    eventually(lambda: seen.latest() is not None and tap.latest() is not None and told)
    run.pause()
    end()
    assert np.isfinite(seen.latest().channels["time"]).any() and tap.latest().shape == ()
    seen.close()
    tap.close()


def rewinds(case: Case) -> None:
    run = case.run
    at = run.snapshot()
    before = run.eval(case.model.w)
    run.step(2)
    epoch = run.epoch
    assert run.rewind(at) == at == run.step_number and run.epoch == epoch + 1
    assert run.history.steps[-1] <= at
    np.testing.assert_array_equal(run.eval(case.model.w), before)


def forks(case: Case) -> None:
    run = case.run
    fork = run.fork(paused=True, rate=0.25)
    assert fork.pause() == run.step_number and fork.hyperparameters == {"rate": 0.25}
    assert fork.parent == {"run": run.id, "step": run.step_number}
    np.testing.assert_array_equal(fork.eval(case.model.w), run.eval(case.model.w))
    assert isinstance(fork, Run if case.kind == "here" else RemoteRun)
    fork.stop()
    fork.delete()


def replays(case: Case) -> None:
    run = case.run
    if case.waits_for_nobody:
        with pytest.raises(NoWayBackError, match="wait for nobody"):
            run.replay()
        return
    replay = run.replay().wait(PATIENCE)
    assert np.array_equal(replay.history["loss"], run.history["loss"])
    replay.close()


def gives_values(case: Case) -> None:
    run = case.run
    assert np.shape(run.peek(case.model.loss)) == ()
    w, both = run.eval([case.model.w, {"loss": case.model.loss}], case.model.data[0])
    assert w.shape == (3,) and both["loss"] > 0


def has_a_past(case: Case) -> None:
    history = case.run.history
    assert history.names == ("loss",) and history.count == len(history["loss"]) > 0
    assert history.last[0] <= case.run.step_number


def is_described(case: Case) -> None:
    run = case.run
    status = run.status()
    assert (status.run, status.name, status.state) == (run.id, run.name, "paused")
    assert status.step == run.step_number and status.steps is run.steps is None
    assert run.state == "paused" and run.is_live and run.error is None and run.epoch >= 0
    assert run.folder is None and run.parent is None and run.created > 0
    assert run.initial == {"rate": 0.125} and run.entropy == 3
    assert run.graph is case.model.graph and run.name in repr(run)
    assert len(run.replicas) == KINDS[case.kind]["replicas"] * case.is_replicated
    terms = {"strategy": "sync", "encoding": None} | KINDS[case.kind]
    assert run.terms == status.terms == (terms if case.is_replicated else None)
    listed = wb.runs()
    assert run in list(listed) and run.name in repr(listed)
    comparison = listed.compare(run.id)
    assert comparison.rows[0][:3] == [run.name, "paused", run.step_number]


def takes_commands(case: Case) -> None:
    done = case.run.submit(c.Set({"rate": 0.125})).result(PATIENCE)
    assert done.step == case.run.step_number


def is_of_its_place(case: Case) -> None:
    if case.kind == "here":
        assert case.run.session.graph is case.run.spec.graph
        return
    for name, instead in (("session", "run.eval"), ("spec", "run.graph")):
        with pytest.raises(AttributeError, match=instead):
            getattr(case.run, name)


def ends(case: Case) -> None:
    run = case.run
    with pytest.raises(RuntimeError, match="stop it"):
        run.delete()
    last = run.stop()
    assert run.state == "stopped" and not run.is_live and run.step_number == last
    run.rewind(last)
    assert run.state == "paused" and run.is_live
    run.stop()
    run.delete()
    run.close()
    assert run not in list(wb.runs())


#: What is looked at, and the public names that this is about.
POWERS: dict[Callable[[Case], None], str] = {
    goes_on: "resume pause wait step_number",
    steps: "step",
    sets: "set hyperparameters",
    watches: "watch unwatch watches stopped_by",
    looks: "observe tap subscribe",
    rewinds: "rewind snapshot epoch",
    forks: "fork",
    replays: "replay",
    gives_values: "peek eval",
    has_a_past: "history",
    is_described: "status state steps is_live error folder parent created id name graph "
    "graph_name replicas terms initial entropy",
    takes_commands: "submit",
    is_of_its_place: "session spec",
    ends: "stop delete close",
}


def test_the_table_has_all_that_a_run_of_this_process_has() -> None:
    assigned = re.findall(
        r"^        self\.([a-z]\w*)\b.* = ", inspect.getsource(Run.__init__), re.M
    )
    public = {name for name in dir(Run) if not name.startswith("_")} | set(assigned)
    # What its record says of the data and the operations that begin it, nobody asks a run for.
    public -= {"data_key", "initializers"}
    assert public == {name for names in POWERS.values() for name in names.split()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_run_can_do_all_of_it(two: Crew, kind: str) -> None:
    case = Case(kind, two)
    # To the bit only what nobody has changed by hand comes again.
    order = sorted(POWERS, key=lambda power: (power is ends, power is not replays))
    for power in order:
        power(case)
