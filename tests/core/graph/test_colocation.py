from __future__ import annotations

from typing import Any

import pytest

import workbench as tf


def groups(element: Any) -> list[bytes]:
    found: list[bytes] = getattr(element, "op", element).colocation_groups()
    return found


def test_groups_are_sorted_names_in_bytes() -> None:
    a, b = tf.constant(1, name="a"), tf.constant(2, name="b")
    with tf.get_default_graph().colocate_with(b.op), tf.get_default_graph().colocate_with(a.op):
        c = tf.constant(3, name="c")
    assert groups(a) == [b"loc:@a"]
    assert groups(c) == [b"loc:@a", b"loc:@b"]
    assert c.op.get_attr("_class") == [b"loc:@a", b"loc:@b"]
    with tf.get_default_graph().colocate_with(c.op):
        assert groups(tf.constant(4)) == groups(c)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.initializer,
        lambda v: v.assign([1.0, 2.0]),
        lambda v: tf.scatter_add(v, [0], [1.0]),
        lambda v: tf.is_variable_initialized(v),
        lambda v: v.value(),
    ],
)
def test_what_takes_a_variable_is_beside_it(change: Any) -> None:
    with tf.device("/job:ps"):
        v = tf.Variable([1.0, 2.0], name="v")
    with tf.device("/job:worker"):
        element = change(v)
    assert groups(element) == [b"loc:@v"]
    assert element.device == "/job:ps"


def test_an_optimizer_updates_beside_the_variable() -> None:
    v = tf.Variable(1.0, name="v")
    train = tf.train.AdamOptimizer().minimize(v * v)
    update = next(op for op in tf.get_default_graph().get_operations() if op.type == "ApplyAdam")
    assert groups(update) == [b"loc:@v"]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        assert session.run(v) < 1.0


def test_a_device_function_is_not_overruled() -> None:
    with tf.device("/gpu:0"):
        a = tf.constant([1.0], name="a")
    with tf.get_default_graph().colocate_with(a.op), tf.device("/cpu:0"):
        b = tf.constant([2.0])
    assert b.device == "/device:CPU:0"
    assert groups(b) == [b"loc:@a"]


@pytest.mark.parametrize(("apart", "expected"), [(False, b"loc:@first"), (True, b"loc:@w")])
def test_gradients_are_added_up_beside_what_they_come_from(apart: bool, expected: bytes) -> None:
    w = tf.constant([[1.0]], name="w")
    with tf.device("/task:1" if apart else None):
        first = tf.matmul(w, [[1.0, 2.0]], name="first")
    with tf.device("/task:2" if apart else None):
        second = tf.matmul(w, [[3.0, 4.0]], name="second")
    (total,) = tf.gradients(first * second, w, colocate_gradients_with_ops=True)
    assert total.op.type == "AddN"
    assert groups(total) == [expected]


def test_a_cycle_is_named() -> None:
    x, y = tf.constant(1, name="x"), tf.constant(2, name="y")
    y.op._add_control_input(x.op)
    x.op._add_control_input(y.op)
    with (
        tf.Session() as session,
        pytest.raises(tf.errors.InvalidArgumentError, match=r"a cycle with 2 nodes.*: x, y"),
    ):
        session.run(x)


def test_rows_are_negated_as_rows() -> None:
    x = -tf.IndexedSlices(tf.constant([[2.0], [3.0]]), tf.constant([0, 2]))
    assert x.values.eval().tolist() == [[-2.0], [-3.0]]
    assert x.indices.eval().tolist() == [0, 2]


def test_beside_nothing_is_anywhere() -> None:
    graph = tf.get_default_graph()
    with tf.device("/task:1"), graph.colocate_with(tf.constant(1, name="other").op):
        with graph.colocate_with(None, ignore_existing=True):
            free = tf.constant(2)
            with tf.device("/cpu:0"):
                pinned = tf.constant(3)
        beside = tf.constant(4)
    assert (free.device, pinned.device, beside.device) == ("", "/device:CPU:0", "/task:1")
    assert groups(free) == [f"loc:@{free.op.name}".encode()]
    assert groups(beside) == [b"loc:@other"]
