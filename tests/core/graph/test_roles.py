"""The role of each operation, told from types and edges first and from names last."""

from __future__ import annotations

import time

import numpy as np
import pytest

import workbench as tf
from workbench.core.graph.roles import AUXILIARY, BACKWARD, FORWARD, UPDATE, operation_roles


def roles_by_name(graph) -> dict[str, int]:
    names = [operation.name for operation in graph.get_operations()]
    return dict(zip(names, operation_roles(graph).tolist(), strict=True))


def network():
    """A small classifier with batch statistics, summaries and a saver; returns its loss."""
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    y = tf.placeholder(tf.int64, [None], name="y")
    hidden = tf.layers.dense(x, 8, tf.nn.relu, name="hidden")
    hidden = tf.layers.batch_normalization(hidden, training=True, name="norm")
    logits = tf.layers.dense(hidden, 3, name="logits")
    with tf.name_scope("accuracy"):
        accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), tf.float32))
    with tf.name_scope("loss"):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        loss = tf.reduce_mean(losses)
    tf.summary.scalar("summaries/accuracy", accuracy)
    return loss


OPTIMIZERS = {
    "descent": tf.train.GradientDescentOptimizer,
    "momentum": lambda rate: tf.train.MomentumOptimizer(rate, 0.9),
    "adam": tf.train.AdamOptimizer,
    "rmsprop": tf.train.RMSPropOptimizer,
    "adagrad": tf.train.AdagradOptimizer,
    "ftrl": tf.train.FtrlOptimizer,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_graph(name):
    with tf.Graph().as_default() as graph:
        loss = network()
        step = tf.train.get_or_create_global_step()
        rate = tf.train.exponential_decay(0.1, step, 100, 0.9, name="decay")
        optimizer = OPTIMIZERS[name](rate)
        made = len(graph.get_operations())
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            train = optimizer.minimize(loss, global_step=step, name="optimizer")
        slots = {
            optimizer.get_slot(variable, slot).op.name
            for variable in tf.trainable_variables()
            for slot in optimizer.get_slot_names()
        }
        tf.train.Saver()
        tf.global_variables_initializer()
        variables = {variable.op.name for variable in tf.global_variables()}
    assert train.name in ("optimizer", "optimizer/update")
    initialisers = {f"{variable}/Assign" for variable in variables}
    roles = roles_by_name(graph)
    model = [operation.name for operation in graph.get_operations()[:made]]
    helpers = {"beta1_power", "beta2_power"}
    for operation, role in roles.items():
        scope = operation.split("/")[0]
        if operation in initialisers:
            expected = AUXILIARY
        elif operation in slots or operation in helpers:
            expected = UPDATE
        elif operation in variables:
            expected = FORWARD
        elif scope == "gradients":
            expected = BACKWARD
        elif scope in ("save", "init", "summaries") or "nitial" in operation:
            expected = AUXILIARY
        elif scope in ("optimizer", "decay") or "AssignMovingAvg" in operation:
            expected = UPDATE
        elif operation in model and scope in ("hidden", "logits", "loss", "accuracy", "x", "y"):
            expected = FORWARD
        else:
            continue
        assert role == expected, operation


def test_every_role_occurs_in_the_demonstration():
    from workbench.demo.model import build

    with tf.Graph().as_default() as graph:
        build(100)
        tf.train.Saver()
    counts = np.bincount(operation_roles(graph), minlength=4)
    assert (counts > 20).all()


def test_an_imported_graph_has_the_same_roles():
    with tf.Graph().as_default() as graph:
        tf.train.AdamOptimizer(0.1).minimize(network())
        tf.train.Saver()
        tf.global_variables_initializer()
    with tf.Graph().as_default() as imported:
        tf.import_graph_def(graph.as_graph_def(), name="copy")
    expected = {f"copy/{name}": role for name, role in roles_by_name(graph).items()}
    assert roles_by_name(imported) == expected


def test_gradients_under_another_name():
    """Types say what differentiates, and what uses it does so, too."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.Variable(tf.ones([3, 2]), name="w")
        hidden = tf.nn.relu(tf.matmul(x, w), name="hidden")
        (gradient,) = tf.gradients(tf.reduce_sum(hidden, name="loss"), [w], name="slope")
        clipped = tf.clip_by_norm(gradient, 1.0, name="clip")
        tf.train.GradientDescentOptimizer(0.1).apply_gradients([(clipped, w)], name="apply")
    roles = roles_by_name(graph)
    assert {roles[name] for name in ("x", "w", "hidden", "loss")} == {FORWARD}
    assert roles[gradient.op.name] == BACKWARD
    assert roles[clipped.op.name] == BACKWARD
    assert roles["apply"] == UPDATE


def test_clipped_gradients_are_backward():
    with tf.Graph().as_default() as graph:
        loss = network()
        optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
        pairs = optimizer.compute_gradients(loss)
        clipped, norm = tf.clip_by_global_norm([g for g, _ in pairs], 5.0)
        optimizer.apply_gradients(zip(clipped, [v for _, v in pairs], strict=True))
    roles = roles_by_name(graph)
    assert roles[norm.op.name] == BACKWARD
    assert {roles[each.op.name] for each in clipped} == {BACKWARD}


def test_an_assignment_of_what_is_fed_is_an_update():
    with tf.Graph().as_default() as graph:
        counter = tf.Variable(0.0, name="counter")
        given = tf.placeholder(tf.float32, [], name="given")
        tf.assign(counter, given, name="set")
        tf.assign(counter, 0.0, name="reset")
        tf.assign_add(counter, 1.0, name="count")
    roles = roles_by_name(graph)
    assert roles["set"] == roles["count"] == UPDATE
    assert roles["reset"] == roles["counter/Assign"] == AUXILIARY
    assert roles["given"] == roles["counter"] == FORWARD


def test_without_training_all_is_forward():
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [2])
        tf.reduce_sum(tf.exp(x) * 2.0)
    assert set(operation_roles(graph).tolist()) == {FORWARD}
    assert operation_roles(tf.Graph()).size == 0


def test_deep_graphs_are_quick():
    with tf.Graph().as_default() as graph:
        w = tf.Variable(1.0)
        value = w.read_value()
        for _ in range(5000):
            value = tf.tanh(value)
        tf.train.GradientDescentOptimizer(0.1).minimize(value)
    start = time.thread_time()
    roles = operation_roles(graph)
    # Of this thread: others may keep the machine busy.
    assert time.thread_time() - start < 1.0
    assert np.bincount(roles)[BACKWARD] >= 5000
