"""Runs of graphs with branches and loops: a resumed run goes on with the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import workbench as tf
import workbench as wb

DATA = np.random.RandomState(0).randn(24, 3).astype(np.float32)


def build() -> tuple[Any, Any, Any]:
    """A small model whose bodies draw random numbers."""
    tf.reset_default_graph()
    tf.set_random_seed(3)
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    w = tf.Variable(np.eye(3, dtype=np.float32) * 0.5, name="w")

    def turn(i: Any, h: Any) -> Any:
        return i + 1, tf.tanh(tf.matmul(h, w) + tf.random_normal([3], stddev=0.1))

    h = tf.while_loop(lambda i, h: i < 3, turn, [0, x])[1]
    y = tf.cond(tf.reduce_sum(h) > 0.0, lambda: h * 2.0, lambda: tf.nn.dropout(h, 0.5))
    loss = tf.reduce_mean(tf.square(y - 1.0), name="loss")
    return x, loss, tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss)


def start(folder: Path, name: str, paused: bool) -> Any:
    x, loss, train = build()
    feed = wb.batches({x: DATA}, 8, shuffle=True, seed=0)
    return wb.run(
        train, 10, feed=feed, track={"loss": loss}, name=name, folder=str(folder), paused=paused
    )


def test_a_resumed_run_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    with start(tmp_path, "whole", paused=False) as run:
        run.wait(timeout=60)
        expected = run.history["loss"].tolist()
    with start(tmp_path, "halves", paused=True) as run:
        run.step(4)
        run.snapshot()
    tf.reset_default_graph()
    with wb.resume(tmp_path / "halves") as run:
        run.wait(timeout=60)
        # The last bit may be another one where the compiler took over at another step.
        np.testing.assert_allclose(run.history["loss"], expected, rtol=1e-6)
