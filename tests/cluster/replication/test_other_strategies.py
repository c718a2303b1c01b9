"""Training with a parameter server, and asynchronously: what is applied, by whom, and how often."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from tests.cluster.collectives.members import process
from tests.cluster.replication.models import DATA, Model, in_threads
from workbench.cluster.replication.mixing import Mixing
from workbench.cluster.replication.parameter_server import (
    Answer,
    Apply,
    End,
    ParameterServer,
    Refuse,
)
from workbench.cluster.replication.roster import Roster
from workbench.cluster.replication.served_replica import ServedReplica
from workbench.cluster.replication.wandering_replica import WanderingReplica
from workbench.core.errors import InvalidArgumentError

#: What no variables have a smaller loss than.
ROWS = np.c_[DATA[:, :3], DATA[:, 0] > 0, DATA[:, 0] <= 0]
LEAST = float(np.linalg.lstsq(ROWS, DATA[:, 3], rcond=None)[1][0]) / len(DATA)


def loss_of(values: list[Any]) -> float:
    """The loss on all data, in plain NumPy."""
    w, table, _ = values
    guess = DATA[:, :3] @ w + table[(DATA[:, 0] > 0).astype(int), 0]
    return float(np.mean((guess - DATA[:, 3]) ** 2))


def noting(model: Model) -> tuple[list[int], Any]:
    """A feed of all the data, and the numbers of the batches that it was asked for."""
    batches: list[int] = []

    def feed(share: Any) -> Any:
        batches.append(share.batch)
        return model.feed_of(DATA)

    return batches, feed


def test_a_parameter_server_applies_each_gradient_once() -> None:
    steps, size = 30, 3
    with Roster(size) as roster:
        done = threading.Barrier(size)

        def do(number: int) -> Any:
            model = Model(seed=number, strategy=ServedReplica)
            batches, feed = noting(model)

            with model.replica(roster) as (replica, session):
                for _ in range(steps):
                    replica.step(model.loss, feed)
                done.wait(30)
                return replica.rank, batches, replica.step_number, model.values(session)

        found = in_threads(size, do)
    batches = [batch for _, own, _, _ in found for batch in own]
    assert len(set(batches)) == len(batches) == steps * size
    (server,) = [each for each in found if each[0] == 0]
    assert server[2] == steps * size == server[3][2]
    assert loss_of(server[3]) == pytest.approx(LEAST, rel=1e-3)


@pytest.mark.parametrize("encoding", [None, "bfloat16"])
def test_asynchronous_replicas_come_together(encoding: str | None) -> None:
    steps, size = 40, 3
    with Roster(size) as roster:
        done = threading.Barrier(size)

        def do(number: int) -> Any:
            model = Model(seed=number, strategy=WanderingReplica)
            batches, feed = noting(model)

            options = {"period": 4, "staleness": 2, "encoding": encoding}
            with model.replica(roster, **options) as (replica, session):
                for _ in range(steps):
                    replica.step(None, feed)
                done.wait(30)
                return batches, model.values(session), replica.step_number

        found = in_threads(size, do)
    batches = [batch for own, _, _ in found for batch in own]
    assert len(set(batches)) == len(batches) == steps * size
    for _, values, known in found:
        assert values[2] == steps
        # Nobody is more than two periods behind, as far as all know.
        assert steps * size - 2 * 3 * 4 <= known <= steps * size
        assert loss_of(values) == pytest.approx(LEAST, rel=0.02)


@pytest.mark.parametrize("strategy", [ServedReplica, WanderingReplica])
def test_a_newcomer_gets_what_the_others_have_learnt(strategy: Any) -> None:
    with Roster(1) as roster:
        learnt, joined, left = threading.Event(), threading.Event(), threading.Event()

        def do(number: int) -> Any:
            model = Model(seed=number, strategy=strategy)
            if number:
                assert learnt.wait(30)
                with model.replica(roster) as (replica, session):
                    joined.set()
                    came = replica.step_number, model.values(session), replica.share.batch
                    for _ in range(3):
                        replica.step(None, model.feed)
                left.set()
                return came
            with model.replica(roster) as (replica, session):
                sizes = []
                while not left.is_set():
                    replica.step(None, model.feed)
                    sizes.append(replica.size)
                    if len(sizes) == 20:
                        learnt.set()
                        threading.Event().wait(0.3)
                return sizes, model.values(session)

        (sizes, values), (steps, got, batch) = in_threads(2, do)
    assert sizes[0] == 1 and max(sizes) == 2
    assert steps >= 20 and batch >= 20
    start = [np.random.RandomState(1).standard_normal(3), np.zeros((2, 1)), 0]
    assert loss_of(got) < 0.5 * loss_of(start)
    assert np.isfinite(loss_of(values))


MEMBER = """
import sys
from tests.cluster.replication.models import Model
from workbench.cluster.replication.served_replica import ServedReplica
model = Model(seed=int(sys.argv[2]), strategy=ServedReplica)
class Address:
    address = sys.argv[1]
with model.replica(Address) as (replica, session):
    print("joined", replica.rank, flush=True)
    for line in sys.stdin:
        replica.step(model.loss, model.feed)
        print(replica.step_number, replica.rank, session.run(model.steps), flush=True)
"""


def test_a_killed_parameter_server_is_followed_by_another_one() -> None:
    with Roster(2, grace=20) as roster, ExitStack() as stack:
        other = stack.enter_context(process(MEMBER, roster.address, "1"))
        assert other.stdin is not None and other.stdout is not None
        model = Model(strategy=ServedReplica)
        replica, session = stack.enter_context(model.replica(roster))
        assert other.stdout.readline().startswith("joined")
        server, _ = (other, replica) if replica.rank == 1 else (None, None)
        for step in range(3):
            other.stdin.write("go\n")
            other.stdin.flush()
            assert other.stdout.readline().split()[0] == str(2 * step + 1)
            replica.step(model.loss, model.feed)
        assert replica.step_number == 6
        other.kill()
        other.wait(10)
        for _ in range(4):
            replica.step(model.loss, model.feed)
        assert (replica.step_number, model.values(session)[2]) == (10, 10)
        if server is not None:
            assert (replica.size, replica.rank) == (1, 0)


def test_decisions_of_a_parameter_server() -> None:
    server = ParameterServer(epoch=3, step=10, batch=40, staleness=1)
    assert server.came(2, "a", 1, 10) == Refuse() == server.came(4, "a", 1, 10)
    assert server.came(3, "a", 1, 10) == Apply() and server.step == 11
    assert server.came(3, "a", 1, 10) == Answer(was_dropped=False) and server.step == 11
    assert server.came(3, "b", 1, 10) == Apply()
    assert server.came(3, "c", 1, 10) == Answer(was_dropped=True), "two steps were between"
    assert server.came(3, "c", 2, 12) == Apply()
    assert (server.step, server.dropped) == (13, 1)
    # Where the training is to end: what comes may come again later.
    assert server.came(3, "c", 3, 13, until=13) == End() and server.step == 13
    assert server.came(3, "c", 3, 13, until=14) == Apply() and server.step == 14
    assert [server.take_batch() for _ in range(3)] == [40, 41, 42]


def test_what_is_mixed_in() -> None:
    mixing = Mixing(1, ["a", "b"], period=2, staleness=1)
    assert [mixing.stepped() for _ in range(4)] == [False, True, False, True]
    assert mixing.behind() == ["a", "b"]
    assert not mixing.came(0, "a", 2, "of an earlier epoch")
    assert not mixing.came(1, "c", 2, "of nobody")
    assert mixing.came(1, "a", 2, "old") and mixing.came(1, "a", 4, "new")
    assert not mixing.came(1, "a", 2, "late")
    assert mixing.behind() == ["b"]
    mixing.lost("b")
    assert mixing.behind() == [] and mixing.take() == ["new"] and mixing.take() == []
    assert mixing.all_steps == 8


def test_what_is_told_without_variables() -> None:
    mixing = Mixing(1, ["a"], period=8, staleness=None)
    mixing.stepped()
    mixing.told(1, "a", 3)
    mixing.told(1, "a", 2)
    mixing.told(0, "a", 9)
    mixing.told(1, "nobody", 9)
    assert (mixing.all_steps, mixing.furthest, mixing.take()) == (4, 3, [])
    # The variables of as many steps are news all the same.
    assert mixing.came(1, "a", 3, "variables") and mixing.take() == ["variables"]
    assert mixing.came(1, "a", 8, "more") and mixing.all_steps == 9


def test_near_its_end_a_replica_tells_of_each_step() -> None:
    with Roster(2) as roster:
        turn = threading.Barrier(2)

        def do(number: int) -> Any:
            model = Model(seed=number, strategy=WanderingReplica)
            with model.replica(roster, period=100) as (replica, _):
                turn.wait(30)
                replica.step(None, model.feed)
                assert replica.step_number == 1, "nobody was told"
                turn.wait(30)
                replica.until = 7
                for _ in range(2 + number):
                    replica.step(None, model.feed)
                deadline = time.monotonic() + 30
                while replica.step_number < 7 and time.monotonic() < deadline:
                    time.sleep(0.001)
                turn.wait(30)
                return replica.step_number

        assert in_threads(2, do) == [7, 7]


def test_a_parameter_server_applies_no_step_beyond_the_last() -> None:
    with Roster(2) as roster:
        turn = threading.Barrier(2)

        def do(number: int) -> Any:
            model = Model(seed=number, strategy=ServedReplica)
            batches, feed = noting(model)

            with model.replica(roster) as (replica, session):
                replica.until = 5
                turn.wait(30)
                for _ in range(4):
                    replica.step(None, feed)
                turn.wait(30)
                ended = replica.step_number, model.values(session)[2]
                replica.until = None
                turn.wait(30)
                replica.step(None, feed)
                turn.wait(30)
                return replica.rank, batches, ended, replica.step_number

        server, other = sorted(in_threads(2, do))
    assert server[2] == (5, 5) and server[3] == 7
    # The batches of steps that were not applied are those that come next.
    given = [*server[1], *other[1]]
    assert sorted(set(given)) == list(range(7)) and len(given) == 10


def test_a_period_is_a_number_of_steps() -> None:
    model = Model(strategy=WanderingReplica)
    with (
        Roster(1) as roster,
        pytest.raises(InvalidArgumentError, match="period must be"),
        model.replica(roster, period=0),
    ):
        pass
