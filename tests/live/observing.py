"""A training, and steps of it that are observed."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as tf
from workbench.live.observation import Observer


class Training:
    """A network with dropout and Adam, with a session and what a step fetches and feeds."""

    def __init__(self, width: int = 32) -> None:
        with tf.Graph().as_default() as self.graph:
            tf.set_random_seed(7)
            x = tf.placeholder(tf.float32, [None, 6], name="x")
            y = tf.placeholder(tf.float32, [None, 1], name="y")
            hidden = tf.layers.dense(x, width, tf.nn.relu, name="hidden")
            hidden = tf.nn.dropout(hidden, 0.8, name="dropout")
            error = tf.layers.dense(hidden, 1, name="output") - y
            self.loss = tf.reduce_mean(tf.square(error), name="loss")
            self.beside = tf.reduce_max(tf.abs(error), name="beside")
            self.train = tf.train.AdamOptimizer(0.01).minimize(self.loss)
            initialise = tf.global_variables_initializer()
        self.session = tf.Session(graph=self.graph)
        self.session.run(initialise)
        self.fetches = [self.loss, self.train]
        random = np.random.default_rng(0)
        self.xs = random.normal(size=(200, 24, 6)).astype(np.float32)
        self.tensors = (x, y)

    def feed(self, step: int) -> dict[Any, Any]:
        xs = self.xs[step % len(self.xs)]
        return {self.tensors[0]: xs, self.tensors[1]: xs.sum(1, keepdims=True)}

    def index(self, name: str) -> int:
        names = [op.name for op in self.graph.get_operations()]
        return names.index(name)

    def variables(self) -> dict[str, bytes]:
        state = self.session.state.variables
        return {name: np.asarray(variable.value).tobytes() for name, variable in state.items()}


def observe_all(observer: Observer, training: Training, steps: int, first: int = 0) -> list[Any]:
    """Runs every step observed, with credit for all of it."""
    results = []
    for step in range(first, first + steps):
        observer.note(1.0)
        results.append(observer.run(training.fetches, training.feed(step), step + 1))
    return results
