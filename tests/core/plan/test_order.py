"""The order of reads and assignments, and what may be updated in place."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf


@pytest.fixture
def session() -> tf.Session:
    with tf.Graph().as_default(), tf.Session() as opened:
        yield opened


def _variable(session: tf.Session, value: float | list[float]) -> tf.Variable:
    variable = tf.Variable(np.asarray(value, np.float32))
    session.run(variable.initializer)
    return variable


def test_a_read_comes_before_an_assignment_it_does_not_wait_for(session: tf.Session) -> None:
    v = _variable(session, [1.0, 2.0])
    doubled = v * 2.0
    update = v.assign_add([10.0, 10.0])
    assert session.run([update.op, doubled])[1].tolist() == [2.0, 4.0]
    assert session.run(v).tolist() == [11.0, 12.0]


def test_a_read_behind_an_assignment_sees_it(session: tf.Session) -> None:
    v = _variable(session, [1.0, 2.0])
    with tf.control_dependencies([v.assign_add([10.0, 10.0])]):
        after = tf.identity(v)
        again = v.read_value() + 0.5
    before = v + 0.0
    assert [r.tolist() for r in session.run([before, after, again])] == [
        [1.0, 2.0],
        [11.0, 12.0],
        [11.5, 12.5],
    ]


def test_fetched_values_do_not_change_later(session: tf.Session) -> None:
    v = _variable(session, [1.0, 2.0])
    update = v.assign_add([1.0, 1.0])
    first = session.run(v)
    kept = session.run([v, update])
    session.run(update.op)
    assert first.tolist() == [1.0, 2.0]
    assert kept[1].tolist() == [2.0, 3.0]


def test_swapping_two_variables(session: tf.Session) -> None:
    a, b = _variable(session, [1.0]), _variable(session, [2.0])
    swap = tf.group(a.assign(b), b.assign(a))
    session.run(swap)
    assert session.run([a, b])[0].tolist() == [2.0]
    assert session.run(b).tolist() == [1.0]


def test_assignments_follow_their_chain(session: tf.Session) -> None:
    v = _variable(session, 0.0)
    chained = tf.assign_add(tf.assign_add(v.assign(1.0), 2.0), 4.0)
    assert session.run(chained) == 7.0


def test_unordered_assignments_keep_the_order_they_were_made_in(session: tf.Session) -> None:
    v = _variable(session, 0.0)
    ops = [v.assign(1.0).op, v.assign_add(2.0).op, v.assign_add(4.0).op]
    session.run(ops)
    assert session.run(v) == 7.0


def test_a_group_runs_everything_and_a_fetched_tensor_what_it_waits_for(
    session: tf.Session,
) -> None:
    v = _variable(session, 0.0)
    with tf.control_dependencies([v.assign(5.0)]):
        constant = tf.constant(1.0)
        waited = constant + 1.0
    session.run(waited)
    assert session.run(v) == 5.0


def test_training_step_updates_in_place(session: tf.Session) -> None:
    w = tf.Variable(np.ones((64, 64), np.float32))
    x = tf.placeholder(tf.float32, [8, 64])
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w)))
    step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    session.run(w.initializer)
    feeds = {x: np.ones((8, 64), np.float32)}
    plan = session.plan([loss, step], feeds)
    assert sum(s.updates_in_place for s in plan.memory.steps) == 1
    storage = session.state.variables[w.op.name].value
    session.run([loss, step], feeds)
    assert session.state.variables[w.op.name].value is storage
    before = session.run(w)
    session.run([loss, step], feeds)
    assert not np.array_equal(before, session.run(w))


def test_fetching_a_variable_beside_its_update_keeps_the_old_value(session: tf.Session) -> None:
    v = _variable(session, [1.0, 2.0])
    step = v.assign_sub([0.5, 0.5]).op
    old = session.run([v.value(), step])[0]
    assert old.tolist() == [1.0, 2.0]
    session.run(step)
    assert old.tolist() == [1.0, 2.0]


def test_the_users_array_is_neither_kept_nor_changed(session: tf.Session) -> None:
    v = _variable(session, [1.0, 2.0])
    x = tf.placeholder(tf.float32, [2])
    given = np.array([3.0, 4.0], np.float32)
    session.run(v.assign(x).op, {x: given})
    given[0] = 99.0
    session.run(v.assign_add([1.0, 1.0]).op)
    assert session.run(v).tolist() == [4.0, 5.0]
    assert given.tolist() == [99.0, 4.0]
    fetched = session.run(tf.identity(x), {x: given})
    fetched[0] = 0.0
    assert given[0] == 99.0


def test_nothing_waits_for_a_placeholder_that_is_fed(session: tf.Session) -> None:
    x = tf.placeholder(tf.float32, [])
    with tf.control_dependencies([x]):
        y = tf.constant(2.0) * x
    assert session.run(y, {x: 3.0}) == 6.0


def test_an_update_waits_through_the_constants_of_its_scope(session: tf.Session) -> None:
    # The scatter waits for the assignment only by way of the constant, which must not be folded.
    v = _variable(session, [[1.0], [2.0]])
    halved = tf.assign(v, v * 0.5)
    with tf.control_dependencies([halved]):
        grown = tf.scatter_add(v, [1], tf.ones([1, 1]) * 3.0)
    session.run([tf.identity(grown), grown.op])
    assert session.run(v).tolist() == [[0.5], [4.0]]
