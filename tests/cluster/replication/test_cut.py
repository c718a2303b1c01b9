"""Where train operations are cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.cluster.replication.cut import Cut, cut
from workbench.core.errors import InvalidArgumentError


def names(found: Cut) -> tuple[int, int, int, int]:
    return len(found.dense), len(found.sparse), len(found.chosen), len(found.own)


def linear() -> tuple[Any, Any, Any]:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    w = tf.Variable(np.ones((3, 1), np.float32), name="w")
    return x, w, tf.reduce_mean(tf.square(tf.matmul(x, w)))


OPTIMIZERS: list[Callable[[], Any]] = [
    lambda: tf.train.GradientDescentOptimizer(0.1),
    lambda: tf.train.MomentumOptimizer(0.1, 0.9),
    lambda: tf.train.AdamOptimizer(0.1),
    lambda: tf.train.RMSPropOptimizer(0.1),
    lambda: tf.train.AdagradOptimizer(0.1),
    lambda: tf.train.FtrlOptimizer(0.1),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_gradients_are_the_cut(optimizer: Callable[[], Any]) -> None:
    with tf.Graph().as_default():
        _, _, loss = linear()
        step = tf.train.get_or_create_global_step()
        rate = tf.train.exponential_decay(0.1, step, 10, 0.9)
        train = optimizer().minimize(loss + 0 * rate, global_step=step)
        found = cut(train)
        assert names(found) == (1, 0, 0, 0)
        assert found.dense[0].shape.as_list() == [3, 1]


def test_what_is_applied_counts_not_what_it_was_made_of() -> None:
    with tf.Graph().as_default():
        _, w, loss = linear()
        optimizer = tf.train.GradientDescentOptimizer(0.1)
        clipped, _ = tf.clip_by_global_norm(tf.gradients(loss, [w]), 1.0)
        train = optimizer.apply_gradients([(clipped[0], w)])
        assert cut(train).dense == (clipped[0],)


def test_sparse_gradients() -> None:
    with tf.Graph().as_default():
        ids = tf.placeholder(tf.int32, [None])
        table = tf.Variable(np.ones((5, 2), np.float32))
        loss = tf.reduce_sum(tf.nn.embedding_lookup(table, ids))
        train = tf.train.AdagradOptimizer(0.1).minimize(loss)
        assert names(cut(train)) == (0, 1, 0, 0)


def test_averages_of_batches_are_averaged_and_counts_are_the_firsts() -> None:
    with tf.Graph().as_default():
        x, _, loss = linear()
        mean = tf.Variable(np.zeros(3, np.float32), trainable=False)
        seen = tf.Variable(0, trainable=False)
        delta = 0.1 * (tf.reduce_mean(x, 0) - mean)
        updates = [tf.assign_add(mean, delta), tf.assign_add(seen, tf.shape(x)[0])]
        with tf.control_dependencies(updates):
            train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        found = cut(train)
        assert names(found) == (2, 0, 1, 0)
        assert delta in found.dense


def test_checks_take_what_each_replica_has() -> None:
    with tf.Graph().as_default():
        x, _, loss = linear()
        with tf.control_dependencies([tf.assert_greater(x, -1.0)]):
            train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        found = cut(train)
        assert len(found.dense) == 1 and found.own
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            taken = session.run(found.tensors, {x: np.ones((2, 3))})
            session.run(train, dict(zip(found.tensors, taken, strict=True)))


def test_updates_without_an_optimizer() -> None:
    with tf.Graph().as_default():
        _, w, loss = linear()
        train = tf.assign_sub(w, 0.1 * tf.gradients(loss, [w])[0]).op
        assert names(cut(train)) == (1, 0, 0, 0)


def test_nothing_to_train() -> None:
    with tf.Graph().as_default(), pytest.raises(InvalidArgumentError, match="changes no variable"):
        cut(tf.no_op("nothing"))


def test_data_that_is_only_waited_for() -> None:
    with tf.Graph().as_default():
        _, _, loss = linear()
        queue = tf.FIFOQueue(3, tf.float32)
        with tf.control_dependencies([queue.dequeue()]):
            train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        with pytest.raises(InvalidArgumentError, match="takes data that belongs to this replica"):
            cut(train)


def test_what_may_be_fed_to_a_step_goes_to_both_programs() -> None:
    with tf.Graph().as_default():
        _, _, loss = linear()
        rate = tf.placeholder_with_default(0.5, [], name="rate")
        train = tf.train.GradientDescentOptimizer(rate).minimize(loss)
        assert cut(train).own == (rate,)
