"""Equal seeds give bit-equal trainings, in one process and in another."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np

import workbench as tf


def train(seed: int) -> str:
    """A digest of the losses and weights of a small training with dropout."""
    with tf.Graph().as_default(), tf.Session(deterministic=True) as session:
        tf.set_random_seed(seed)
        x = tf.placeholder(tf.float32, [None, 8])
        hidden = tf.layers.dense(x, 16, activation=tf.nn.relu)
        hidden = tf.nn.dropout(hidden, 0.5)
        loss = tf.reduce_mean(tf.square(tf.layers.dense(hidden, 1) - 1.0))
        step = tf.train.AdamOptimizer(0.01).minimize(loss)
        session.run(tf.global_variables_initializer())
        digest = hashlib.sha256()
        inputs = np.random.RandomState(0).standard_normal((20, 32, 8)).astype(np.float32)
        for batch in inputs:
            digest.update(session.run([loss, step], {x: batch})[0].tobytes())
        for variable in session.run(tf.trainable_variables()):
            digest.update(variable.tobytes())
        return digest.hexdigest()


def test_equal_seeds_give_equal_bits() -> None:
    assert train(7) == train(7)
    assert train(7) != train(8)


def test_equal_seeds_give_equal_bits_in_another_process() -> None:
    program = "from tests.core.runtime.test_determinism import train; print(train(7))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == train(7)
