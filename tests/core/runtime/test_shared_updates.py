"""Threads that update one variable lose none of their updates."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen import host
from workbench.core.runtime.compiling import compiler

THREADS, STEPS = 4, 100

TIERS = [
    "interpreted",
    pytest.param(
        "compiled",
        marks=pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here"),
    ),
]


def _counter() -> tuple[Any, Any, Any]:
    counter = tf.Variable(0, dtype=tf.int64)
    return counter, tf.assign_add(counter, 1), THREADS * STEPS


def _array() -> tuple[Any, Any, Any]:
    sums = tf.Variable(np.zeros(200_000, np.float32))
    return sums, sums.assign_sub(tf.ones([200_000])).op, np.full(200_000, -THREADS * STEPS, "f4")


def _rows() -> tuple[Any, Any, Any]:
    table = tf.Variable(np.zeros((3, 2), np.float32))
    update = tf.scatter_add(table, [0, 2, 2], np.ones((3, 2), np.float32))
    return table, update, THREADS * STEPS * np.array([[1, 1], [0, 0], [2, 2]])


def _elements() -> tuple[Any, Any, Any]:
    table = tf.Variable(np.zeros(5, np.float32))
    update = tf.scatter_nd_sub(table, [[4]], [2.0])
    return table, update, -2.0 * THREADS * STEPS * np.array([0, 0, 0, 0, 1])


def _resource() -> tuple[Any, Any, Any]:
    counter = tf.get_variable("counter", initializer=0, use_resource=True)
    return counter, counter.assign_add(3), 3 * THREADS * STEPS


def _global_step() -> tuple[Any, Any, Any]:
    """A training step that takes long enough for the interpreter's lock to be given up."""
    x = np.linspace(-1.0, 1.0, 64 * 32, dtype=np.float32).reshape(64, 32)
    weights = tf.Variable(np.full((32, 32), 0.01, np.float32))
    loss = tf.reduce_mean(tf.square(tf.matmul(x, weights) - 1.0))
    global_step = tf.train.get_or_create_global_step()
    train = tf.train.GradientDescentOptimizer(1e-3).minimize(loss, global_step=global_step)
    return global_step, train, THREADS * STEPS


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_threads")
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    "build", [_counter, _array, _rows, _elements, _resource, _global_step], ids=lambda b: b.__name__
)
def test_nothing_is_lost(build: Callable[[], tuple[Any, Any, Any]], tier: str) -> None:
    with tf.Graph().as_default(), tf.Session(tier=tier) as session:
        variable, update, expected = build()
        start = tf.global_variables_initializer()
        session.run(start)
        session.run(update)
        assert compiler().wait(60)
        session.run(start)
        errors: list[Exception] = []

        def work() -> None:
            try:
                for _ in range(STEPS):
                    session.run(update)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not errors
        np.testing.assert_array_equal(session.run(variable), expected)


@pytest.mark.usefixtures("eager_threads")
@pytest.mark.parametrize("tier", TIERS)
def test_several_programs_count_together(tier: str) -> None:
    with tf.Graph().as_default(), tf.Session(tier=tier) as session:
        first, second = tf.Variable(0.0), tf.Variable(0.0)
        product = tf.reduce_sum(tf.matmul(tf.ones([100, 100]), tf.ones([100, 100]))) * 1e-9
        updates = [
            [first.assign_add(1.0 + 0.0 * product), second.assign_add(1.0)],
            [second.assign_add(1.0 + 0.0 * product), first.assign_add(1.0)],
            [first.assign_add(1.0)],
            [second.assign_add(1.0)],
        ]
        session.run(tf.global_variables_initializer())
        for update in updates:
            session.run(update)
            assert compiler().wait(60)

        def work(update: Any) -> None:
            for _ in range(STEPS):
                session.run(update)

        threads = [threading.Thread(target=work, args=[update]) for update in updates]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert session.run([first, second]) == [3.0 * (STEPS + 1), 3.0 * (STEPS + 1)]
