"""Collections of variables, and initial values that depend on other variables."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.errors import FailedPreconditionError

pytestmark = pytest.mark.usefixtures("graph")


def test_collections() -> None:
    keys = tf.GraphKeys
    a = tf.Variable(1.0, name="a")
    b = tf.Variable(1.0, name="b", trainable=False)
    c = tf.Variable(1.0, name="x/c", trainable=False, collections=[keys.LOCAL_VARIABLES])
    d = tf.Variable(
        1.0,
        name="x/d",
        collections=[keys.GLOBAL_VARIABLES, keys.MODEL_VARIABLES, keys.MOVING_AVERAGE_VARIABLES],
    )
    assert tf.global_variables() == [a, b, d] == tf.all_variables()
    assert tf.trainable_variables() == [a, d]
    assert tf.local_variables() == [c]
    assert tf.model_variables() == [d] == tf.moving_average_variables()
    assert tf.global_variables("x/") == [d]
    assert tf.local_variables(scope="y") == []


def test_initializers_of_collections() -> None:
    a = tf.Variable(1.0, name="a")
    b = tf.get_local_variable("b", [], initializer=tf.ones_initializer())
    for make in (tf.global_variables_initializer, tf.initialize_all_variables):
        assert {op.name for op in make().control_inputs} == {"a/Assign"}
    for make in (tf.local_variables_initializer, tf.initialize_local_variables):
        assert {op.name for op in make().control_inputs} == {"b/Assign"}
    both = tf.variables_initializer([a, b], name="both")
    assert both.name == "both"
    assert {op.name for op in both.control_inputs} == {"a/Assign", "b/Assign"}
    assert tf.initialize_variables([a]).name == "init_4"
    assert tf.variables_initializer([]).type == "NoOp"


def test_report_uninitialized_variables() -> None:
    a, b = tf.Variable([1], name="a"), tf.Variable([1], name="b")
    c = tf.get_local_variable("c", [])
    report, some = tf.report_uninitialized_variables(), tf.report_uninitialized_variables([a])
    with tf.Session() as session:
        assert session.run(report).tolist() == [b"a", b"b", b"c"]
        session.run([b.initializer, c.initializer])
        assert session.run(report).tolist() == [b"a"] == session.run(some).tolist()
        session.run(a.initializer)
        assert session.run(report).size == 0
    with tf.Graph().as_default(), tf.Session() as session:
        assert session.run(tf.report_uninitialized_variables()).tolist() == []


def test_assert_variables_initialized() -> None:
    assert tf.assert_variables_initialized() is None
    a, b = tf.Variable([1], name="a"), tf.Variable([1], name="b")
    check = tf.assert_variables_initialized()
    only_a = tf.assert_variables_initialized([a])
    assert check is not None and only_a is not None
    with tf.Session() as session:
        session.run(a.initializer)
        session.run(only_a)
        with pytest.raises(FailedPreconditionError, match="uninitialized value b"):
            session.run(check)
        session.run(b.initializer)
        session.run(check)


# Initial values that depend on other variables ----------------------------------------------------


def chain() -> tuple[list[Any], list[Any]]:
    a = tf.Variable([1.0, 2.0], name="a")
    b = tf.Variable(a * 3.0 + 1.0, name="b")
    c = tf.Variable(a.initialized_value() + b, name="c")
    d = tf.Variable(c, name="d")
    values: list[Any] = [[1.0, 2.0], [4.0, 7.0], [5.0, 9.0], [5.0, 9.0]]
    return [a, b, c, d], values


def test_all_at_once() -> None:
    variables, values = chain()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert [v.tolist() for v in session.run(variables)] == values


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_one_by_one_in_any_order(order: tuple[int, ...]) -> None:
    variables, values = chain()
    with tf.Session() as session:
        for index in order:
            session.run(variables[index].initializer)
        assert [v.tolist() for v in session.run(variables)] == values


def test_value_counts_once_there_is_one() -> None:
    a = tf.Variable(1.0)
    b = tf.Variable(a * 2.0)
    with tf.Session() as session:
        session.run(a.initializer)
        session.run(a.assign(5.0))
        session.run(b.initializer)
        assert session.run(b) == 10.0


def test_random_initial_values_agree() -> None:
    a = tf.Variable(tf.random_normal([50]))
    b = tf.Variable(a.initialized_value())
    c = tf.Variable(-a)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        first, second, third = session.run([a, b, c])
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, -third)


def test_copies_are_named_after_the_variable() -> None:
    a = tf.Variable(1.0, name="a")
    b = tf.Variable(tf.multiply(a, 2.0, name="twice"), name="b")
    initial = b.initializer.inputs[1]
    assert b.initial_value.name == "twice:0"
    assert initial.name == "twice_b:0"
    assert [t.op.name for t in initial.op.inputs] == ["a/read_b", "twice/y"]


def test_independent_values_are_not_copied() -> None:
    value = tf.random_normal([2])
    a = tf.Variable(value)
    assert a.initializer.inputs[1] is value
