"""A small model that replicas train, and what else their tests share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import workbench as tf
from workbench.cluster.replication.replica import Replica
from workbench.cluster.replication.strategy import Share

DATA = np.random.RandomState(0).standard_normal((24, 4))


class Model:
    """A linear model in double precision, a table of rows, and a count of the steps."""

    def __init__(
        self, optimizer: str = "sgd", seed: int = 0, strategy: Any = Replica, rows: int = 2
    ) -> None:
        self.graph = tf.Graph()
        self.strategy = strategy
        with self.graph.as_default():
            self.x = tf.placeholder(tf.float64, [None, 3])
            self.y = tf.placeholder(tf.float64, [None])
            self.start = np.random.RandomState(seed).standard_normal(3)
            self.w = tf.Variable(self.start)
            self.table = tf.Variable(np.zeros((rows, 1)))
            self.steps = tf.train.get_or_create_global_step()
            rows = tf.nn.embedding_lookup(self.table, tf.cast(self.x[:, 0] > 0, tf.int32))
            guess = tf.reduce_sum(self.x * self.w, 1) + rows[:, 0]
            self.loss = tf.reduce_mean(tf.square(guess - self.y))
            how = {
                "sgd": lambda: tf.train.GradientDescentOptimizer(0.125),
                "adam": lambda: tf.train.AdamOptimizer(0.1),
            }[optimizer]()
            self.train = how.minimize(self.loss, global_step=self.steps)
            self.init = tf.global_variables_initializer()

    def feed(self, share: Share) -> dict[Any, Any]:
        """The replica's part of all the data."""
        return self.feed_of(DATA[share.rank :: share.size])

    def feed_of(self, part: Any) -> dict[Any, Any]:
        """Some rows of the data."""
        return {self.x: part[:, :3], self.y: part[:, 3]}

    @contextmanager
    def replica(self, roster: Any, **options: Any) -> Iterator[tuple[Any, tf.Session]]:
        """A replica that takes part, and its session."""
        with tf.Session(graph=self.graph) as session:
            session.run(self.init)
            options = {"timeout": 20, **options}
            with self.strategy(session, self.train, roster.address, **options) as replica:
                yield replica, session

    def values(self, session: tf.Session) -> list[Any]:
        """Its variables."""
        return session.run([self.w, self.table, self.steps])  # type: ignore[no-any-return]


def in_threads(size: int, do: Any) -> list[Any]:
    """What `do` returns for each number, called in threads at the same time."""
    found: list[Any] = [None] * size

    def run(number: int) -> None:
        try:
            found[number] = do(number)
        except BaseException as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(n,)) for n in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for each in found:
        if isinstance(each, BaseException):
            raise each
    return found
