"""Barriers of a session."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.queues.threads import Task, wait_for
from workbench.core.ops.creation import call
from workbench.core.ops.queues.barrier import Barrier


@pytest.fixture
def session() -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_elements_are_put_together_by_their_keys(session: Any) -> None:
    barrier = Barrier((tf.float32, tf.string), shapes=((2,), ()))
    session.run(barrier.insert_many(1, ["b", "a"], ["B", "A"]))
    assert session.run([barrier.ready_size(), barrier.incomplete_size()]) == [0, 2]
    session.run(barrier.insert_many(0, ["a"], [[1.0, 2.0]]))
    session.run(barrier.insert_many(0, ["b"], [[3.0, 4.0]]))
    indices, keys, values = barrier.take_many(2)
    assert [t.shape.as_list() for t in (indices, keys, *values)] == [[2], [2], [2, 2], [2]]
    found = session.run([indices, keys, *values])
    assert found[0].tolist() == [-(2**63)] * 2
    order = found[1].tolist()
    assert sorted(order) == [b"a", b"b"]
    assert found[3].tolist() == [key.upper() for key in order]
    wanted = {b"a": [1.0, 2.0], b"b": [3.0, 4.0]}
    assert found[2].tolist() == [wanted[key] for key in order]


def test_take_waits_and_has_a_time(session: Any) -> None:
    barrier = Barrier(tf.int32, shapes=())
    insert, one = barrier.insert_many(0, ["k"], [5]), barrier.take_many(1)[2][0]
    task = Task(session.run, one)
    wait_for(session, 1)
    session.run(insert)
    assert task.end().tolist() == [5]
    with pytest.raises(tf.errors.DeadlineExceededError):
        session.run(barrier.take_many(1, timeout=20)[1])


def test_closed_barrier(session: Any) -> None:
    barrier = Barrier((tf.int32, tf.int32), shapes=((), ()))
    session.run(barrier.insert_many(0, ["a", "b"], [1, 2]))
    session.run(barrier.insert_many(1, ["a"], [3]))
    session.run(barrier.close())
    with pytest.raises(tf.errors.CancelledError, match="brand new key"):
        session.run(barrier.insert_many(0, ["c"], [1]))
    assert session.run(barrier.take_many(5, allow_small_batch=True)[1]).tolist() == [b"a"]
    with pytest.raises(tf.errors.OutOfRangeError, match="insufficient"):
        session.run(barrier.take_many(2)[1])
    session.run(barrier.close(cancel_pending_enqueues=True))
    assert session.run(barrier.incomplete_size()) == 0


@pytest.mark.parametrize(
    ("component", "keys", "values", "message"),
    [
        (0, ["a"], [1.0], "already has a value"),
        (0, ["b"], [[]], "no elements"),
        (2, ["b"], [1.0], "out of range"),
        (1, ["b"], [[1.0]], r"Expected \[1\], got \[1,1\]"),
    ],
)
def test_what_does_not_fit_is_refused(
    session: Any, component: int, keys: Any, values: Any, message: str
) -> None:
    barrier = Barrier((tf.float32, tf.float32), shapes=((), ()))
    session.run(barrier.insert_many(0, ["a"], [1.0]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(barrier.insert_many(component, keys, np.array(values, np.float32)))
    assert session.run(barrier.incomplete_size()) == 1


def test_keys_and_values_must_be_as_many() -> None:
    with tf.Graph().as_default():
        barrier = Barrier(tf.float32, shapes=((),))
        with pytest.raises(ValueError):
            barrier.insert_many(0, ["a", "b"], [1.0])


@pytest.mark.parametrize("shapes", [((0,),), (None,), ((None,),)])
def test_shapes_must_be_known_and_have_elements(shapes: Any) -> None:
    if shapes == (None,):
        shapes = (tf.TensorShape(None),)
    with tf.Graph().as_default(), pytest.raises(ValueError, match="fully defined|Empty tensors"):
        Barrier(tf.float32, shapes=shapes)


def test_capacity_is_not_to_be_had(session: Any) -> None:
    handle = call("Barrier", None, component_types=[tf.int32], shapes=[[]], capacity=3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="only accepts capacity=-1"):
        session.run(call("BarrierReadySize", None, handle=handle))
