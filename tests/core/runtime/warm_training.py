"""A small training for a process of its own: it imports nothing that the workbench does not."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

import workbench as tf

#: What a process need not import where everything is on disk.
LEFT_OUT = ("llvmlite", "workbench.core.codegen.emitter", "workbench.core.fusion.planning")


def build(name: str) -> tuple[Any, Any]:
    """A fed tensor [batch, 8] and a loss."""
    x = tf.placeholder(tf.float32, [None, 8])
    if name == "dense":
        hidden = tf.layers.dense(x, 16, activation=tf.nn.relu)
    elif name == "normalised":
        images = tf.layers.conv2d(tf.reshape(x, [-1, 2, 4, 1]), 4, 3, padding="same")
        hidden = tf.nn.relu(tf.layers.batch_normalization(images, training=True))
    else:
        # A step in the middle stays with the interpreter.
        values, _ = tf.nn.top_k(tf.layers.dense(x, 8), 4)
        hidden = tf.tanh(tf.check_numerics(values, "values"))
    return x, tf.reduce_mean(tf.square(hidden - 0.25))


def train(name: str, tier: str) -> dict[str, Any]:
    """The losses of six steps, and what it took to run them."""
    with tf.Graph().as_default(), tf.Session(tier=tier) as session:
        tf.set_random_seed(3)
        x, loss = build(name)
        step = tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
        session.run(tf.global_variables_initializer())
        inputs = np.random.RandomState(0).standard_normal((6, 6, 8)).astype(np.float32)
        losses = [session.run([loss, step], {x: batch})[0].tobytes().hex() for batch in inputs]
        imported = [module for module in LEFT_OUT if module in sys.modules]
        from workbench.core.codegen.compiler import KernelLibrary
        from workbench.core.runtime.compiling import compiler

        assert compiler().wait(60)
    statistics = KernelLibrary.shared().statistics
    return {
        "losses": losses,
        "imported": imported,
        "compiled": statistics.compiled,
        "reloaded": statistics.reloaded,
    }


if __name__ == "__main__":
    print(json.dumps(train(*sys.argv[1:])))
