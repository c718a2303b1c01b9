"""One run of several processes: its numbers, its powers, and what happens when one is killed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import Crew, crew
from tests.pool.runs.replicas.models import Model, assert_each_step_once, free_strategies, goes_on
from tests.pool.runs.support import eventually
from workbench.cluster.replication.desk import Desk
from workbench.live.errors import NoWayBackError, RunEndedError
from workbench.pool.runs.replicas import boards
from workbench.pool.runs.replicas.boards import Boards


def test_steers_all_replicas_before_the_same_step(two: Crew) -> None:
    model = Model()
    run = model.run(two, 12, paused=True)
    assert run.step(3) == 3
    np.testing.assert_allclose(run.eval(model.w), model.descend([2] * 3, [0.125] * 3), rtol=1e-6)
    run.set(rate=0.25)
    assert run.step(3) == 6
    rates = [0.125] * 3 + [0.25] * 3
    np.testing.assert_allclose(run.eval(model.w), model.descend([2] * 6, rates), rtol=1e-6)
    resting = [("worker 0", "rests"), ("worker 1", "rests")]
    eventually(lambda: [(each["worker"], each["state"]) for each in run.replicas] == resting)
    run.rewind(4)
    assert run.hyperparameters == {"rate": 0.25} and run.history.steps.tolist() == [1, 2, 3, 4]
    run.resume()
    run.wait(PATIENCE)
    assert run.state == "finished" and run.history.steps.tolist() == list(range(1, 13))
    rates += [0.25] * 6
    np.testing.assert_allclose(run.eval(model.w), model.descend([2] * 12, rates), rtol=1e-6)
    assert run.eval(model.count) == 12
    run.rewind(2)
    assert run.step(1) == 3
    np.testing.assert_allclose(run.eval(model.w), model.descend([2] * 3, [0.125] * 3), rtol=1e-6)
    run.close()


def names(run: Any) -> list[str]:
    return [each["worker"] for each in run.replicas]


@pytest.mark.slow
def test_goes_on_when_replicas_are_killed_and_others_come(tmp_path: Any) -> None:
    model = Model()
    with crew(tmp_path, 3) as pool:
        run = model.run(pool, None, replicas=3, encoding="int8")
        run.wait(PATIENCE, step=10)
        eventually(lambda: len(run.replicas) == 3)
        follower = next(n for n in range(3) if n != pool.leader(run))
        pool.kill(follower)
        eventually(lambda: len(run.replicas) == 2)
        goes_on(run)
        leader = pool.leader(run)
        pool.kill(leader)
        eventually(lambda: len(run.replicas) == 1 and run.epoch == 1)
        goes_on(run)
        assert pool.leader(run) not in (leader, follower)
        assert run.terms == {"replicas": 3, "strategy": "sync", "encoding": "int8"}
        pool.add()
        eventually(lambda: names(run)[1:] == ["worker 3"] and run.replicas[1]["state"] != "joining")
        goes_on(run)
        assert_each_step_once(run, model)
        run.resume()
        goes_on(run)
        assert_each_step_once(run, model)
        texts = [e.text for e in run.history.events if e.kind == "log"]
        assert f"worker {follower} is gone: 2 replicas" in texts, texts
        assert f"worker {leader} is gone: 1 replica" in texts, texts
        assert "worker 3 takes part: 2 replicas" in texts, texts
        run.close()


@free_strategies
def test_replicas_that_wait_for_nobody_are_one_run_too(two: Crew, strategy: str) -> None:
    model = Model()
    run = model.run_until(40, two, strategy)
    run.set(rate=0.0625)
    last = run.pause()
    assert last >= 40 and run.hyperparameters == {"rate": 0.0625}
    if strategy == "parameter server":
        assert run.eval(model.count) == last, "each step once"
    # Steps that wait for nobody cannot be repeated: what is kept comes back.
    assert run.snapshot() == last
    before = run.eval(model.w)
    assert np.linalg.norm(before) > 0.1
    assert run.step(4) >= last + 4 and run.state == "paused"
    run.rewind(last)
    np.testing.assert_array_equal(run.eval(model.w), before)
    run.resume()
    run.wait(PATIENCE, step=last + 20)
    assert run.stop() >= last + 20
    assert (np.diff(run.history.steps) > 0).all()
    assert run.history["loss"][-5:].mean() < 0.5 * run.history["loss"][:5].mean()
    run.close()


@pytest.mark.slow
def test_fails_with_a_checkpoint_where_the_scheduler_is_gone(tmp_path: Any) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run = model.run(pool, None, folder="runs")
        run.wait(PATIENCE, step=10)
        pool.crash()
        # The training needs it for nothing but to change what the replicas do.
        goes_on(run)
        with pytest.raises(RunEndedError):
            run.pause()
        assert run.state == "failed" and "board" in str(run.error), run.error
        last = run.step_number
        assert run.eval(model.count) == last
        [leader] = [p for p in pool.processes if (p.folder / "run").exists()]
        checkpoints = [p.name for p in (leader.folder / "run" / "checkpoints").iterdir()]
        assert any(str(last) in name for name in checkpoints), (last, checkpoints)


@pytest.fixture
def leaders_are_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leads a run comes to where replicas meet after another one."""
    handle = Desk.handle
    held: dict[Desk, list[Any]] = {}

    def came(desk: Desk, sender: Any, message: Any) -> None:
        waiting = held.setdefault(desk, [])
        if message.kind == "ready" and message.fields["leads"] and not desk.view.members:
            waiting.append((sender, message))
            return
        handle(desk, sender, message)
        while message.kind == "ready" and waiting:
            handle(desk, *waiting.pop())

    monkeypatch.setattr(Desk, "handle", came)


def test_records_the_same_whoever_comes_first(two: Crew, leaders_are_late: None) -> None:
    model = Model()
    run = model.run(two, None, paused=True)
    assert run.step(5) == 5
    losses = []
    for step in range(5):
        w = model.descend([2] * step, [0.125] * step)
        x, y = model.data.values(2 * step)
        losses.append(np.mean((x @ w - y) ** 2))
    np.testing.assert_allclose(run.history["loss"], losses, rtol=1e-6)
    run.close()


def test_steps_again_that_it_was_set_back_before(two: Crew) -> None:
    """A paused run, whose next steps end before the one that it had come to."""
    model = Model()
    run = model.run(two, None, paused=True)
    run.wait_for_replicas(2, PATIENCE)
    run.step(3)
    run.snapshot()
    run.step(4)
    run.rewind(3)
    run.step(3)
    expected = model.descend([2] * 6, [0.125] * 6)
    np.testing.assert_allclose(run.eval(model.w), expected, rtol=1e-6)
    run.close()


def test_a_replay_needs_as_many_replicas(tmp_path: Any) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run = model.run(pool, None, paused=True)
        run.step(2)
        pool.kill(1 - pool.leader(run))
        replay = run.replay()
        with pytest.raises(NoWayBackError, match="2 replicas took its steps, and 1 can here"):
            replay.wait(PATIENCE)
        replay.close()
        run.close()


def test_a_replay_awaits_who_cannot_take_part_at_once(
    two: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model()
    run = model.run(two, 4).wait(PATIENCE)
    order, refused = Boards._order, []

    def order_once_refused(here: Boards, found: Any, worker: str) -> None:
        if refused:
            order(here, found, worker)
            return
        refused.append(worker)
        here._perform(found, found.refused(worker, "it is about to"))

    monkeypatch.setattr(Boards, "_order", order_once_refused)
    again = run.replay().wait(PATIENCE)
    assert len(refused) == 1
    assert [e for e in again.history.events if "cannot take part" in e.text]
    assert np.array_equal(again.history["loss"], run.history["loss"])
    np.testing.assert_array_equal(again.eval(model.w), run.eval(model.w))
    for each in (again, run):
        each.close()


def test_replicas_of_a_run_that_is_over_take_no_part_in_one_that_meets_where_it_did(
    two: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that still look for the others of theirs, as the system gives the address anew."""
    make, addresses = boards.make_meeting, list[str]()

    def make_there(strategy: str, replicas: int, address: str, *rest: Any) -> Any:
        made = make(strategy, replicas, addresses[0] if addresses else address, *rest)
        addresses.append(made.address)
        return made

    monkeypatch.setattr(boards, "make_meeting", make_there)
    model = Model()
    run = model.run(two, 4).wait(PATIENCE)
    for _ in range(3):
        again = run.replay().wait(PATIENCE)
        assert np.array_equal(again.history["loss"], run.history["loss"])
        assert again.status().taken == run.status().taken == ((0, 0, 2),)
        again.close()
    assert len(addresses) == 4 and len(set(addresses)) == 1
    run.close()


def test_steps_are_those_of_all_replicas(two: Crew) -> None:
    """A parameter server ends at the step; who applies by itself, when it knows that all have."""
    model = Model()
    run = model.run(two, 20, strategy="parameter server").wait(PATIENCE)
    assert run.step_number == run.history.steps[-1] == run.eval(model.count) == 20
    run.close()
    run = model.run(two, None, strategy="parameter server", paused=True)
    assert [run.step(3) for _ in range(4)] == [3, 6, 9, 12] and run.eval(model.count) == 12
    run.close()
    run = model.run(two, 20, strategy="async").wait(PATIENCE)
    assert run.state == "finished" and run.step_number == run.history.steps[-1] >= 20
    run.close()
