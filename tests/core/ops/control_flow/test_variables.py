"""Variables in bodies: they are those of the graph around, read and changed there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


def test_assignments_in_a_loop_take_effect_in_each_pass() -> None:
    v = tf.Variable(1.0)

    def body(i: Any, total: Any) -> Any:
        with tf.control_dependencies([v.assign_add(1.0)]):
            return i + 1, total + v.read_value()

    found = tf.while_loop(lambda i, _: i < 10, body, [0, 0.0])
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run(found) == [10, 65.0]
        assert session.run(v) == 11.0


def test_a_loop_sees_what_it_assigned_in_the_condition_and_in_conditionals() -> None:
    v = tf.Variable(2.0)

    def body(i: Any) -> Any:
        squared = tf.cond(i >= 0, lambda: v.assign(v * v), lambda: v.assign(0.0))
        with tf.control_dependencies([squared]):
            return i + 1

    found = tf.while_loop(lambda i: tf.less(v, 1000.0), body, [0])
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run(found) == 4
        assert session.run(v) == 65536.0


def test_rows_of_a_variable_are_changed() -> None:
    v = tf.Variable(tf.zeros([5]))

    def body(i: Any) -> Any:
        with tf.control_dependencies([tf.scatter_add(v, [i], [tf.cast(i, tf.float32)])]):
            return i + 1

    count = tf.placeholder(tf.int32, [])
    done = tf.while_loop(lambda i: i < count, body, [0])
    with tf.Session() as session:
        session.run(v.initializer)
        before = session.run(v)
        session.run(done, {count: 4})
        assert session.run(v).tolist() == [0.0, 1.0, 2.0, 3.0, 0.0]
        assert before.tolist() == [0.0] * 5


def test_a_value_read_before_a_loop_stays_what_it_was() -> None:
    v = tf.Variable(np.ones(4, np.float32))
    count = tf.placeholder(tf.int32, [])
    before = v.read_value()

    def body(i: Any, x: Any) -> Any:
        with tf.control_dependencies([v.assign_add(tf.ones([4]))]):
            return i + 1, x + 0.0 * v.read_value()

    _, x = tf.while_loop(lambda i, x: i < count, body, [0, before])
    both = before + 0.0 * x
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run([x, both, before], {count: 3})[0].tolist() == [1.0] * 4
        assert session.run(v).tolist() == [4.0] * 4


def test_variables_are_made_outside_of_bodies() -> None:
    x = tf.ones([1, 3])

    def body(i: Any, x: Any) -> Any:
        w = tf.get_variable("w", [3, 3], initializer=tf.constant_initializer(0.5))
        return i + 1, tf.matmul(x, w)

    with tf.variable_scope("net"):
        _, y = tf.while_loop(lambda i, x: i < 3, body, [0, x])
    (w,) = tf.trainable_variables()
    assert w.name == "net/w:0" and w.graph is tf.get_default_graph()
    (slope,) = tf.gradients(y, w)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(y).tolist() == [[3.375] * 3]
        np.testing.assert_allclose(session.run(slope), np.full((3, 3), 6.75))


def test_layers_and_their_losses_in_branches() -> None:
    x = tf.placeholder(tf.float32, [None, 4])
    p = tf.placeholder(tf.bool, [])
    regularizer = tf.contrib.layers.l2_regularizer(0.5)
    y = tf.cond(
        p,
        lambda: tf.layers.dense(x, 2, name="a", kernel_regularizer=regularizer),
        lambda: tf.layers.dense(x, 2, name="b"),
    )
    loss = tf.losses.get_regularization_loss()
    assert [v.op.name for v in tf.trainable_variables()] == [
        "a/kernel",
        "a/bias",
        "b/kernel",
        "b/bias",
    ]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(y, {p: True, x: np.ones((3, 4))}).shape == (3, 2)
        kernel = session.run(tf.trainable_variables()[0])
        np.testing.assert_allclose(session.run(loss), 0.25 * (kernel**2).sum(), rtol=1e-5)


def test_an_initial_value_from_inside_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"inside a control-flow construct.*use a lambda"):
        tf.while_loop(lambda i: i < 3, lambda i: (tf.Variable(i * 2), i + 1)[1], [0])
    with pytest.raises(ValueError, match="inside the while_loop"):
        tf.while_loop(lambda i: i < 3, lambda i: (tf.Variable(lambda: i * 2), i + 1)[1], [0])


@pytest.mark.parametrize(
    "optimizer",
    [tf.train.GradientDescentOptimizer(0.1), tf.train.AdamOptimizer(0.1)],
    ids=["gradient descent", "adam"],
)
def test_an_optimizer_in_a_branch(optimizer: Any) -> None:
    v = tf.Variable(2.0)
    p = tf.placeholder(tf.bool, [])
    step = tf.cond(p, lambda: optimizer.minimize(v * v), tf.no_op)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(step, {p: False})
        assert session.run(v) == 2.0
        session.run(step, {p: True})
        assert session.run(v) < 2.0


def test_training_inside_of_a_loop() -> None:
    v = tf.Variable(2.0)
    optimizer = tf.train.GradientDescentOptimizer(0.1)

    def body(i: Any) -> Any:
        with tf.control_dependencies([optimizer.minimize(tf.square(v))]):
            return i + 1

    done = tf.while_loop(lambda i: i < 5, body, [0])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(done)
        np.testing.assert_allclose(session.run(v), 2 * 0.8**5, rtol=1e-6)


def test_a_variable_without_a_value_is_told_with_the_pass() -> None:
    v = tf.Variable(0.5)
    count = tf.placeholder(tf.int32, [])
    found = tf.while_loop(
        lambda i: i < count, lambda i: i + tf.cast(v.read_value() > 0.0, tf.int32), [0]
    )
    with (
        tf.Session() as session,
        pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value Variable"),
    ):
        session.run(found, {count: 2})


def test_resource_variables_in_bodies() -> None:
    from workbench.core.ops.creation import call, create

    handle = call("VarHandleOp", "r", dtype=tf.float32, shape=tf.TensorShape([]))
    start = create("AssignVariableOp", None, resource=handle, value=3.0, dtype=tf.float32)
    count = tf.placeholder(tf.int32, [])

    def body(i: Any, y: Any) -> Any:
        value = call("ReadVariableOp", None, resource=handle, dtype=tf.float32)
        add = create("AssignAddVariableOp", None, resource=handle, value=1.0, dtype=tf.float32)
        with tf.control_dependencies([add]):
            return i + 1, y * tf.identity(value)

    _, y = tf.while_loop(lambda i, y: i < count, body, [0, 1.0])
    with tf.Session() as session:
        session.run(start)
        assert session.run(y, {count: 3}) == 3.0 * 4.0 * 5.0


@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
def test_values_kept_in_a_list_are_those_of_their_pass(tier: str) -> None:
    v = tf.Variable(np.zeros(2000, np.float32))
    count = tf.placeholder(tf.int32, [])
    rows = tf.TensorArray(tf.float32, size=0, dynamic_size=True)

    def body(i: Any, rows: Any) -> Any:
        rows = rows.write(i, v.read_value())
        with (
            tf.control_dependencies([rows.flow]),
            tf.control_dependencies([v.assign_add(tf.ones([2000]))]),
        ):
            return i + 1, rows

    _, rows = tf.while_loop(lambda i, _: i < count, body, [0, rows])
    stacked = rows.stack()
    with tf.Session(tier=tier) as session:
        session.run(v.initializer)
        assert session.run(stacked, {count: 4})[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]
        assert session.run(v)[0] == 4.0


def test_bodies_that_wait_for_an_assignment_see_what_was_assigned() -> None:
    v = tf.Variable(1.0)
    p, count = tf.placeholder(tf.bool, []), tf.placeholder(tf.int32, [])
    with tf.control_dependencies([v.assign_add(1.0)]):
        y = tf.cond(p, lambda: v * 10.0, lambda: v * 100.0)
        _, z = tf.while_loop(lambda i, z: i < count, lambda i, z: (i + 1, z + v), [0, 0.0])
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run(y, {p: True}) == 20.0
        assert session.run(z, {count: 3}) == 9.0
