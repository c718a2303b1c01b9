"""What replicas in step offer beside steps: states set back, agreements, encodings, keys, heirs."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from tests.cluster.collectives.members import process
from tests.cluster.replication.models import Model, in_threads
from workbench.cluster.replication.replica import Replica
from workbench.cluster.replication.roster import Roster
from workbench.cluster.wire.keys import make_keys
from workbench.core.errors import CancelledError, InvalidArgumentError


def test_batches_are_numbered_whoever_is_there() -> None:
    with Roster(2) as roster:

        def do(number: int) -> Any:
            model = Model(seed=number)
            shares = []

            def feed(share: Any) -> Any:
                shares.append(share)
                return model.feed(share)

            with model.replica(roster) as (replica, _):
                for _ in range(3 + 2 * number):
                    replica.step(None, feed)
            return shares

        found = in_threads(2, do)
    short, long = found
    together = [(share.step, share.batch) for share in short]
    assert sorted(together + [(s.step, s.batch) for s in long if s.size == 2])[:6] == [
        (step, 2 * step + rank) for step in range(3) for rank in range(2)
    ]
    # The step that was begun with the one that left is taken again without it.
    assert [(s.step, s.batch) for s in long if s.size == 1] == [(3, 6), (4, 7)]


def test_a_training_is_set_back_on_all_replicas() -> None:
    with Roster(2) as roster:
        saved, again = threading.Barrier(2), threading.Barrier(2)

        def do(number: int) -> Any:
            model = Model(seed=number)
            with model.replica(roster) as (replica, session):
                for _ in range(2):
                    replica.step(None, model.feed)
                state = replica.state()
                saved.wait(30)
                for _ in range(3):
                    replica.step(None, model.feed)
                far = model.values(session)[0]
                again.wait(30)
                if number == 0:
                    replica.restore(state)
                for _ in range(3):
                    replica.step(None, model.feed)
                return state.step, state.batch, replica.step_number, far, model.values(session)

        first, second = in_threads(2, do)
    assert first[:3] == second[:3] == (2, 4, 5)
    for step, _, _, far, values in (first, second):
        assert step + 3 == values[2]
        # Compiled programs may have come in between: they add up in another order.
        np.testing.assert_allclose(values[0], far, rtol=1e-12)
    assert first[4][0].tobytes() == second[4][0].tobytes()


def test_a_state_of_another_graph_is_refused() -> None:
    model = Model()
    with Roster(1) as roster, model.replica(roster) as (replica, _):
        state = replica.state()
        values = dict(state.variables)
        with pytest.raises(InvalidArgumentError, match=r"has the shape \(3,\)"):
            replica.restore(type(state)(1, 1, {**values, "Variable": np.zeros(4)}))
        values.pop("Variable")
        with pytest.raises(InvalidArgumentError, match="are not those of this graph: Variable"):
            replica.restore(type(state)(1, 1, values))


@pytest.mark.parametrize("shared", [False, True])
def test_replicas_agree_before_the_same_step(shared: bool) -> None:
    with Roster(2) as roster:

        def do(number: int) -> Any:
            model = Model(seed=number)
            found = []
            with model.replica(roster, shared=shared) as (replica, _):
                for step in range(6):
                    # One of them has a command after step 2, and the other one a later one.
                    own = {0: 7, 1: 9}[number] if step >= 2 + number else 0
                    found.append((step, replica.agree(own)))
                    replica.step(None, model.feed)
            return found

        first, second = in_threads(2, do)
    assert first == second == [(0, 0), (1, 0), (2, 0), (3, 7), (4, 9), (5, 9)]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("encoding", ["bfloat16", "float16", "int8"])
def test_gradients_in_a_shorter_form(shared: bool, encoding: str) -> None:
    import workbench as tf

    data = np.random.RandomState(3).standard_normal((8, 2048)).astype(np.float32)

    def do(number: int) -> Any:
        graph = tf.Graph()
        with graph.as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, [4, 2048])
            w = tf.Variable(np.zeros(2048, np.float32))
            loss = tf.reduce_sum(tf.square(w - x)) / 8
            train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
            session.run(tf.global_variables_initializer())
            with Replica(
                session, train, roster.address, shared=shared, timeout=20, encoding=encoding
            ) as replica:
                for _ in range(30):
                    replica.step(loss, lambda share: {x: data[share.rank :: 2]})
                saved = replica.bytes_saved
            return session.run(w), saved

    with Roster(2) as roster:
        (first, saved), (second, _) = in_threads(2, do)
    assert first.tobytes() == second.tobytes()
    np.testing.assert_allclose(first, data.mean(0), atol=0.01)
    whole = 30 * 4 * 2048
    if shared:
        assert saved == 0, "nothing is sent"
    else:
        assert saved == whole // 2 if encoding != "int8" else 0.7 * whole < saved < 0.75 * whole


def test_an_encoding_that_does_not_exist() -> None:
    model = Model()
    with (
        Roster(1) as roster,
        pytest.raises(InvalidArgumentError, match="no encoding 'float8'"),
        model.replica(roster, encoding="float8"),
    ):
        pass


@pytest.mark.slow
def test_replicas_go_on_without_the_roster_and_one_of_them_keeps_the_members() -> None:
    roster = Roster(3)
    gone = threading.Barrier(3, timeout=30)

    def do(number: int) -> Any:
        model = Model(seed=number)
        with model.replica(roster) as (replica, session):
            replica.step(None, model.feed)
            if gone.wait() == 0:
                roster.close()
            gone.wait()
            replica.step(None, model.feed)
            if replica.rank == 2:
                replica.leave()
                return None
            for _ in range(2):
                replica.step(None, model.feed)
            return replica.size, replica.epoch, replica.step_number, model.values(session)[0]

    found = [each for each in in_threads(3, do) if each is not None]
    assert [each[:3] for each in found] == [(2, 2, 4), (2, 2, 4)]
    assert found[0][3].tobytes() == found[1][3].tobytes()


def test_a_lone_replica_needs_no_roster_that_is_gone() -> None:
    model = Model()
    roster = Roster(1)
    with model.replica(roster) as (replica, _):
        roster.close()
        replica.step(None, model.feed)
        assert replica.step_number == 1


@pytest.mark.slow
def test_nobody_joins_where_the_roster_is_gone() -> None:
    model = Model()
    roster = Roster(1)
    roster.close()
    with (
        pytest.raises(CancelledError, match="roster of this training is gone"),
        model.replica(roster),
    ):
        pass


STRANGER = """
import sys
from tests.cluster.replication.models import Model
from workbench.cluster.wire.keys import make_keys
from workbench.core.errors import OpError
class Address:
    address = sys.argv[1]
try:
    with Model().replica(Address, keys=make_keys(), patience=2.0):
        print("it is let in", flush=True)
except OpError as error:
    print(type(error).__name__, flush=True)
"""


def test_replicas_have_keys() -> None:
    keys = make_keys()
    with Roster(2, keys=keys) as roster:

        def do(number: int) -> Any:
            model = Model(seed=number)
            with model.replica(roster, shared=False, keys=keys) as (replica, session):
                for _ in range(2):
                    replica.step(None, model.feed)
                return replica.size, model.values(session)[0].tobytes()

        first, second = in_threads(2, do)
        assert first == second and first[0] == 2
        with process(STRANGER, roster.address) as other:
            assert other.stdout is not None
            assert other.stdout.readline().strip() in ("DeadlineExceededError", "CancelledError")
        assert len(roster.members) == 2
