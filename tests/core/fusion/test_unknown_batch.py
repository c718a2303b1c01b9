"""Where only the size of the batch is open until a step runs, all of the step is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen import host

pytestmark = pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here")


def _normalised(x: Any) -> Any:
    mean, variance = tf.nn.moments(x, [0], keep_dims=True)
    return (x - mean) * tf.rsqrt(variance + 1e-3)


def _scaled_by_rows(x: Any) -> Any:
    return x * tf.reduce_sum(x, 1, keepdims=True)


LAYERS: dict[str, Callable[[Any], Any]] = {
    "batch normalisation": _normalised,
    "dropout": lambda x: tf.nn.dropout(x, 0.5, seed=1),
    "rows scaled": _scaled_by_rows,
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_broadcasts_are_compiled(name: str) -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 8])
        weights = tf.Variable(np.eye(8, dtype=np.float32))
        loss = tf.reduce_mean(tf.square(LAYERS[name](tf.matmul(x, weights))))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        with tf.Session(tier="compiled") as session:
            session.run(tf.global_variables_initializer())
            for rows in (5, 3):
                feeds = {x: np.random.RandomState(rows).rand(rows, 8).astype(np.float32)}
                (program,) = session.explain([loss, train], feeds).programs
                assert program.tier == "compiled"
                left = [o for o in program.interpreted if not o.type.startswith("Random")]
                assert not left
                assert np.isfinite(session.run([loss, train], feeds)[0])
