"""Shapes of conditionals and loops by the shapes of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.graph.shapes import Entries
from workbench.core.plan.bodies import is_stateful, updated_inputs
from workbench.core.plan.reach import needed_loop_variables
from workbench.core.plan.specialise import specialised_shapes

pytestmark = pytest.mark.usefixtures("graph")


def shape_of(tensor: Any, fed: dict[Any, tuple[int, ...]]) -> Entries:
    return specialised_shapes([tensor.op], fed)[tensor]


def test_a_loop_that_keeps_shapes_has_those_of_the_run() -> None:
    x = tf.placeholder(tf.float32, [None, 3])
    _, y = tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, tf.sin(y)), [0, x])
    assert y.shape.as_list() == [None, 3]
    assert shape_of(y, {x: (7, 3)}) == (7, 3)


def test_sizes_that_change_stay_unknown() -> None:
    x = tf.placeholder(tf.float32, [None, None])
    _, y = tf.while_loop(
        lambda i, y: i < 5,
        lambda i, y: (i + 1, tf.concat([y, y], 0)),
        [0, x],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, None])],
    )
    assert shape_of(y, {x: (7, 3)}) == (None, 3)


def test_a_conditional_has_what_its_branches_have_in_common() -> None:
    p, x = tf.placeholder(tf.bool, []), tf.placeholder(tf.float32, [None, None])
    y = tf.cond(p, lambda: x + 1.0, lambda: tf.concat([x, x], 0))
    assert shape_of(y, {x: (7, 3)}) == (None, 3)


def test_a_body_that_does_not_fit_says_nothing() -> None:
    p, x = tf.placeholder(tf.bool, []), tf.placeholder(tf.float32, [None])
    y = tf.cond(p, lambda: x + tf.ones([3]), lambda: tf.ones([3]))
    assert shape_of(y, {x: (5,)}) == (3,)


def test_which_variables_of_a_loop_are_needed() -> None:
    i, a, b, c = tf.while_loop(
        lambda i, a, b, c: i < 3,
        lambda i, a, b, c: (i + 1, a * 2.0, a + b, c + 1.0),
        [0, 1.0, 2.0, 3.0],
    )
    # The first one counts the iterations.
    assert needed_loop_variables(a.op, [a.value_index]) == (1, 2)
    assert needed_loop_variables(b.op, [b.value_index]) == (1, 2, 3)
    assert needed_loop_variables(c.op, [c.value_index]) == (1, 4)
    assert needed_loop_variables(i.op, [0]) == (0, 1)


def test_what_bodies_change_is_seen_through_all_levels() -> None:
    p = tf.placeholder(tf.bool, [])
    v, w = tf.Variable(np.ones(3, np.float32)), tf.Variable(1.0)

    def body(i: Any) -> Any:
        changed = tf.cond(p, lambda: v.assign_add(tf.ones([3])), lambda: v.read_value() * w)
        with tf.control_dependencies([changed]):
            return i + 1

    loop = tf.while_loop(lambda i: i < 3, body, [0]).op
    assert loop.type == "While"
    assert [t.op.name for t in updated_inputs(loop)] == [v.op.name]
    assert is_stateful([loop.attrs["body"]])


def test_pure_bodies_make_stateless_operations() -> None:
    x = tf.placeholder(tf.float32, [])
    assert tf.while_loop(lambda x: x < 3.0, lambda x: x * 2.0, [x]).op.type == "StatelessWhile"
    assert tf.cond(x > 0.0, lambda: x, lambda: -x).op.type == "StatelessIf"
    random = tf.cond(x > 0.0, lambda: tf.random_uniform([]), lambda: -x)
    assert random.op.type == "If"
