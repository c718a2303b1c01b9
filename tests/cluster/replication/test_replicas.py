"""Replicas beside one training on all the data; members that come, leave and are killed."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.cluster.collectives.members import process
from tests.cluster.replication.models import DATA, Model, in_threads
from workbench.cluster.collectives.errors import LostMembersError
from workbench.cluster.replication.replica import Replica
from workbench.cluster.replication.roster import Roster
from workbench.cluster.replication.served_replica import ServedReplica
from workbench.cluster.replication.wandering_replica import WanderingReplica


def descend(start: Any, steps: int) -> tuple[Any, Any]:
    """Gradient descent on all the data in plain NumPy."""
    w, table = start.copy(), np.zeros(2)
    x, y = DATA[:, :3], DATA[:, 3]
    row = (x[:, 0] > 0).astype(int)
    for _ in range(steps):
        error = x @ w + table[row] - y
        w_gradient = 2 * x.T @ error / len(y)
        table = table - 0.125 * np.array([2 * error[row == r].sum() / len(y) for r in (0, 1)])
        w = w - 0.125 * w_gradient
    return w, table


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("shared", [False, True], ids=["wire", "shared"])
def test_replicas_are_one_training(size: int, shared: bool) -> None:
    with Roster(size) as roster:

        def do(number: int) -> Any:
            model = Model(seed=number)
            with model.replica(roster, shared=shared) as (replica, session):
                start = session.run(model.w)
                for _ in range(6):
                    replica.step(model.loss, model.feed)
                return start, replica.rank, model.values(session)

        found = in_threads(size, do)
    assert sorted(rank for _, rank, _ in found) == list(range(size))
    start = found[0][0]
    w, table = descend(start, 6)
    for own_start, _, (own_w, own_table, steps) in found:
        assert own_start.tobytes() == start.tobytes(), "all begin with the variables of one"
        assert steps == 6
        assert own_w.tobytes() == found[0][2][0].tobytes()
        np.testing.assert_allclose(own_w, w, rtol=1e-9)
        np.testing.assert_allclose(own_table[:, 0], table, rtol=1e-9)


@pytest.mark.parametrize("strategy", [Replica, WanderingReplica, ServedReplica])
@pytest.mark.parametrize(
    ("stranger", "says"),
    [
        ({"rows": 3}, r"here Variable_1, float64 \(3, 1\), and there Variable_1, float64 \(2, 1\)"),
        ({"optimizer": "adam"}, r"here beta1_power, .*; beta2_power, .*; Variable/Adam, .*\. All"),
    ],
    ids=["shape", "name"],
)
def test_who_has_another_graph_is_turned_away(strategy: Any, stranger: Any, says: str) -> None:
    with Roster(1) as roster:
        begun, away = threading.Event(), threading.Event()

        def do(number: int) -> Any:
            if number == 1:
                assert begun.wait(30)
                model = Model(**stranger, strategy=strategy)
                try:
                    with (
                        pytest.raises(tf.errors.FailedPreconditionError, match=says),
                        model.replica(roster),
                    ):
                        pass
                finally:
                    away.set()
                return None
            model = Model(strategy=strategy)
            with model.replica(roster) as (replica, session):
                while not away.is_set():
                    replica.step(None, model.feed)
                    begun.set()
                last = replica.step_number
                replica.step(None, model.feed)
                return replica.size, replica.step_number - last, model.values(session)[2] - last

        assert in_threads(2, do)[0] == (1, 1, 1)


def test_slots_are_alike_too() -> None:
    with Roster(2) as roster:

        def do(number: int) -> Any:
            model = Model("adam", seed=number)
            with model.replica(roster) as (replica, session):
                for _ in range(5):
                    replica.step(None, model.feed)
                with model.graph.as_default():
                    variables = tf.global_variables()
                return [np.asarray(v).tobytes() for v in session.run(variables)]

        first, second = in_threads(2, do)
    assert len(first) > 5
    assert first == second


def test_a_replica_joins_and_leaves() -> None:
    with Roster(1) as roster:
        begun, joined, left = threading.Event(), threading.Event(), threading.Event()

        def do(number: int) -> Any:
            model = Model(seed=number)
            if number == 1:
                assert begun.wait(30)
                with model.replica(roster) as (replica, session):
                    joined.set()
                    came_at = replica.step_number
                    for _ in range(4):
                        replica.step(model.loss, model.feed)
                    found = came_at, replica.step_number, model.values(session)
                left.set()
                return found
            sizes = []
            values = {}
            with model.replica(roster) as (replica, session):
                while replica.step_number < 10 or not left.is_set():
                    replica.step(model.loss, model.feed)
                    sizes.append(replica.size)
                    values[replica.step_number] = model.values(session)
                    if replica.step_number > 2:
                        begun.set()
                        joined.wait(0.05)
                return sizes, values, replica.step_number

        (sizes, values, total), (came_at, left_at, own) = in_threads(2, do)
    assert sizes[0] == 1 and 2 in sizes and sizes[-1] == 1
    assert left_at == came_at + 4
    assert [int(v[2]) for v in values.values()] == list(range(1, total + 1)), "each step once"
    for mine, others in zip(own, values[left_at], strict=True):
        assert np.asarray(mine).tobytes() == np.asarray(others).tobytes()


def test_who_leads_takes_the_first_batches() -> None:
    """Whoever came first; the others follow when another one leads, and no step is lost."""
    with Roster(2) as roster:
        turn, is_there = threading.Barrier(2), threading.Event()
        handle = roster._desk.handle

        def came(sender: Any, message: Any) -> None:
            handle(sender, message)
            is_there.set()

        roster._desk.handle = came  # type: ignore[method-assign]

        def do(number: int) -> Any:
            model = Model(seed=number)
            batches = {}

            def feed(share: Any) -> Any:
                batches[share.step] = share.batch
                return model.feed_of(DATA[share.rank :: share.size])

            with tf.Session(graph=model.graph) as session:
                session.run(model.init)
                replica = Replica(session, model.train, roster.address, timeout=20)
                if number:
                    assert is_there.wait(30)
                    replica.lead()
                with replica:
                    start = session.run(model.w)
                    for _ in range(3):
                        replica.step(None, feed)
                    turn.wait(30)
                    if number:
                        replica._circle.leads = False
                    else:
                        replica.lead()
                    turn.wait(30)
                    for _ in range(3):
                        replica.step(None, feed)
                    return batches, start, replica.step_number, session.run(model.w)

        first, second = in_threads(2, do)
    assert [first[0][step] for step in range(6)] == [1, 3, 5, 6, 8, 10]
    assert [second[0][step] for step in range(6)] == [0, 2, 4, 7, 9, 11]
    assert first[1].tobytes() == second[1].tobytes() == Model(seed=1).start.tobytes()
    assert first[2] == second[2] == 6 and first[3].tobytes() == second[3].tobytes()


def test_a_step_that_others_have_applied_is_done_whatever_they_did_then() -> None:
    """Who missed its end takes what they have now, and does not take it again."""
    with Roster(2, grace=20) as roster:

        def do(number: int) -> Any:
            model = Model(seed=number)
            fed = []

            def feed(share: Any) -> Any:
                fed.append(share.step)
                return model.feed_of(DATA[share.rank :: share.size])

            with model.replica(roster) as (replica, session):
                exchange = replica._averages.exchange

                def misses(*arguments: Any) -> Any:
                    exchange(*arguments)
                    raise LostMembersError("a cut", [])

                if number:
                    replica._averages.exchange = misses
                assert replica.step(model.loss, feed) > 0
                replica._averages.exchange = exchange
                if not number:
                    replica.restore(replace(replica.state(), batch=40))
                    replica.join()
                found = replica.step_number, list(fed)
                replica.step(model.loss, feed)
                return *found, replica.state().batch, model.values(session)[2]

        assert in_threads(2, do) == [(1, [0], 42, 2)] * 2


MEMBER = """
import os, signal, sys
from workbench.cluster.replication.averages import Averages
from tests.cluster.replication.models import Model
model = Model(seed=int(sys.argv[2]))
dies = sys.argv[3] if len(sys.argv) > 3 else "never"
exchange = Averages.exchange
def exchange_or_die(self, values, notes, timeout):
    if dies == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = exchange(self, values, notes, timeout)
    if dies == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return found
Averages.exchange = exchange_or_die
class Address:
    address = sys.argv[1]
with model.replica(Address) as (replica, session):
    print("joined", flush=True)
    for line in sys.stdin:
        replica.step(model.loss, model.feed)
        print(replica.step_number, replica.size, session.run(model.w).tobytes().hex(), flush=True)
"""


@pytest.mark.parametrize("after", [0, 3])
def test_a_killed_replica(after: int) -> None:
    """The others take the step that failed again: none is lost, none is applied twice."""
    with Roster(3, grace=20) as roster, ExitStack() as stack:
        model = Model()
        others = [stack.enter_context(process(MEMBER, roster.address, str(n))) for n in (1, 2)]

        def go(number: int) -> None:
            stdin = others[number].stdin
            assert stdin is not None
            stdin.write("go\n")
            stdin.flush()

        def said(number: int) -> list[str]:
            stdout = others[number].stdout
            assert stdout is not None
            return stdout.readline().split()

        replica, session = stack.enter_context(model.replica(roster))
        start = session.run(model.w)
        assert said(0) == ["joined"] and said(1) == ["joined"]
        for step in range(after):
            go(0)
            go(1)
            replica.step(model.loss, model.feed)
            own = session.run(model.w).tobytes().hex()
            assert said(0) == said(1) == [str(step + 1), "3", own]
        go(0)
        others[1].kill()
        others[1].wait(10)
        replica.step(model.loss, model.feed)
        assert said(0) == [str(after + 1), "2", session.run(model.w).tobytes().hex()]
        for step in range(after + 1, after + 4):
            go(0)
            replica.step(model.loss, model.feed)
            assert said(0) == [str(step + 1), "2", session.run(model.w).tobytes().hex()]
        assert replica.step_number == after + 4 == model.values(session)[2]
        assert replica.size == 2
        assert not np.array_equal(start, session.run(model.w))
        assert len(roster.view.members) == 2


def gradient(w: Any, table: Any, rank: int, size: int) -> Any:
    x, y = DATA[rank::size, :3], DATA[rank::size, 3]
    error = x @ w + table[(x[:, 0] > 0).astype(int), 0] - y
    return 2 * x.T @ error / len(y)


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_replica_that_dies_while_gradients_are_averaged(dies: str) -> None:
    """Before, the step is of those that are left; after, it is of all: they apply it once."""
    with Roster(3, grace=20) as roster, ExitStack() as stack:
        model = Model()
        arguments = [(roster.address, "1"), (roster.address, "2", dies)]
        others = [stack.enter_context(process(MEMBER, *each)) for each in arguments]
        replica, session = stack.enter_context(model.replica(roster))
        for other in others:
            assert other.stdin is not None and other.stdout is not None
            assert other.stdout.readline() == "joined\n"
            # Twice: who has done the step goes on, and gives its state to who could not do it.
            other.stdin.write("go\ngo\n")
            other.stdin.flush()
        members = roster.view.members
        w, table, _ = model.values(session)
        replica.step(model.loss, model.feed)
        others[1].wait(10)
        after_w, _, steps = model.values(session)
        assert steps == replica.step_number == 1
        replica.step(model.loss, model.feed)
        own = session.run(model.w)
        assert others[0].stdout is not None
        first, second = (others[0].stdout.readline().split() for _ in range(2))
        assert (first[0], first[2]) == ("1", after_w.tobytes().hex())
        assert second == ["2", "2", own.tobytes().hex()]
        assert len(members) == 3 and len(roster.members) == 2
        # Those who are left take the data of all.
        size = 3 if dies == "after" else 2
        mean = np.mean([gradient(w, table, rank, size) for rank in range(size)], axis=0)
        np.testing.assert_allclose(after_w, w - 0.125 * mean, rtol=1e-9)
