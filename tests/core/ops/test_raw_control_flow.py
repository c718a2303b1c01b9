"""Switch and Merge as functions: composites, gradients, errors."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.control_flow_primitives import (
    enter,
    exit,
    identity,
    loop_cond,
    merge,
    next_iteration,
    switch,
)


@pytest.mark.parametrize("taken", [True, False])
def test_the_gradient_flows_through_the_branch_that_was_taken(taken: bool) -> None:
    x = tf.constant([3.0, 4.0])
    p = tf.placeholder(tf.bool, [])
    no, yes = switch(x, p)
    y = merge([no * 10.0, yes * yes])[0]
    (gradient,) = tf.gradients(y, x)
    (second,) = tf.gradients(gradient, x)
    with tf.Session() as session:
        got, again = session.run([gradient, second], {p: taken})
    assert got.tolist() == ([6.0, 8.0] if taken else [10.0, 10.0])
    assert again.tolist() == ([2.0, 2.0] if taken else [0.0, 0.0])


def test_the_gradient_is_zero_where_the_other_branch_does_not_use_the_value() -> None:
    x, z = tf.constant(3.0), tf.constant(1.0)
    p = tf.placeholder(tf.bool, [])
    _, yes = switch(x, p)
    no, _ = switch(z, p)
    (gradient,) = tf.gradients(merge([no, yes * yes])[0], x)
    with tf.Session() as session:
        assert session.run(gradient, {p: True}) == 6.0
        assert session.run(gradient, {p: False}) == 0.0


@pytest.mark.parametrize("taken", [False, True])
def test_the_gradient_of_a_branch_itself_is_zero_where_it_was_not_taken(taken: bool) -> None:
    x = tf.constant(2.0)
    sides = switch(x, tf.constant(taken))
    gradients = [tf.gradients(side, x)[0] for side in sides]
    with tf.Session() as session:
        assert session.run(gradients) == [float(not taken), float(taken)]


def test_no_gradient_flows_through_a_raw_loop() -> None:
    x = tf.constant(1.0)
    value = enter(x, "loop")
    merged = merge([value, value])[0]
    out, turn = switch(merged, loop_cond(tf.less(merged, enter(10.0, "loop", is_constant=True))))
    merged.op._update_input(1, next_iteration(turn + turn))
    result = exit(out)
    with tf.Session() as session:
        assert session.run(result) == 16.0
    with pytest.raises(LookupError, match=r"(?s)Exit 'Exit'.*raise_control_flow"):
        tf.gradients(result, x)


def test_sparse_values_are_switched_whole() -> None:
    sparse = tf.SparseTensor([[0, 1]], [5.0], [2, 2])
    no, yes = switch(sparse, tf.constant(True))
    assert isinstance(yes, tf.SparseTensor)
    merged = merge([no, yes]).output
    with tf.Session() as session:
        found = session.run(merged)
    assert (found.indices.tolist(), found.values.tolist()) == ([[0, 1]], [5.0])


def test_slices_are_switched_whole() -> None:
    slices = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([3]))
    merged = merge(list(switch(slices, tf.constant(False)))).output
    with tf.Session() as session:
        found = session.run(merged)
    assert (found.values.tolist(), found.indices.tolist()) == ([[1.0, 2.0]], [3])


def test_merge_knows_what_the_inputs_have_in_common() -> None:
    a, b = tf.zeros([2, 3]), tf.zeros([2, 4])
    assert merge([a, b]).output.shape.as_list() == [2, None]
    assert merge([a, tf.zeros([2])]).output.shape.ndims is None
    assert merge([a, b]).value_index.shape.as_list() == []


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(ValueError, match="At least one of the merge inputs is None"):
        merge([tf.constant(1.0), None])
    with pytest.raises(ValueError, match="pred"):
        switch(tf.constant(1.0), tf.constant([True, False]))
    with pytest.raises(TypeError):
        switch(tf.constant(1.0), tf.constant(1.0))


def test_constant_values_enter_every_turn() -> None:
    limit = tf.placeholder(tf.float32, [])
    inside = enter(limit, "loop", is_constant=True, parallel_iterations=3)
    assert inside.op.get_attr("frame_name") == b"loop"
    assert inside.op.get_attr("is_constant") is True
    assert inside.op.get_attr("parallel_iterations") == 3
    assert enter(np.zeros([2, 3]), "loop", use_input_shape=False).shape.ndims is None


def test_the_identity_of_a_variable_is_the_variable() -> None:
    variable = tf.Variable(7)
    assigned = tf.assign(identity(variable), 9)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(assigned) == 9
        assert session.run(variable) == 9
    assert identity(tf.constant(1.0)).op.type == "Identity"
