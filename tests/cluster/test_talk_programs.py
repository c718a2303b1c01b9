"""Sub-graph replication: one client, and a copy of the model on each of several tasks."""

from __future__ import annotations

import numpy as np

import workbench as tf
from tests.cluster.processes import Processes


def test_one_client_trains_copies_of_a_model_on_pinned_tasks():
    rng = np.random.default_rng(1)
    xs = rng.normal(size=(64, 4)).astype(np.float32)
    ys = xs @ np.array([[1.0], [2.0], [-1.0], [0.5]], np.float32)
    with Processes(ps=1, worker=2) as processes, tf.Graph().as_default():
        with tf.device("/job:ps/task:0/cpu:0"):
            w = tf.Variable(tf.zeros([4, 1]), name="w")
            b = tf.Variable(tf.zeros([1]), name="b")
        inputs = [tf.placeholder(tf.float32, [None, 4]) for _ in range(2)]
        labels = [tf.placeholder(tf.float32, [None, 1]) for _ in range(2)]
        losses = []
        for i in range(2):
            with tf.device(f"/job:worker/task:{i}/cpu:0"):
                errors = tf.matmul(inputs[i], w) + b - labels[i]
                losses.append(tf.reduce_sum(tf.square(errors)))
        total = tf.add_n(losses)
        train = tf.train.GradientDescentOptimizer(0.004).minimize(total)
        feeds = {inputs[0]: xs[:32], inputs[1]: xs[32:], labels[0]: ys[:32], labels[1]: ys[32:]}
        with tf.Session(processes.target("worker", 0)) as session:
            session.run(tf.global_variables_initializer())
            found = [session.run([total, train], feeds)[0] for _ in range(20)]
            weights = session.run(w)
    # The same by hand.
    w_, b_, wanted = np.zeros((4, 1)), 0.0, []
    for _ in range(20):
        error = xs @ w_ + b_ - ys
        wanted.append((error**2).sum())
        w_, b_ = w_ - 0.008 * xs.T @ error, b_ - 0.008 * error.sum()
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(weights, w_, rtol=1e-4)
