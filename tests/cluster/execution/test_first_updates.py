"""Optimizers' first updates are done one at a time in a task."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
import pytest

import workbench as tf
from tests.cluster.servers import near
from workbench.cluster.execution import registered_part

PS = "/job:ps/task:0"


@pytest.mark.usefixtures("graph")
def test_first_updates_of_all_sessions_take_turns_and_later_ones_do_not(monkeypatch):
    held = []

    @contextmanager
    def noted(lock):
        held.append(lock)
        yield

    monkeypatch.setattr(registered_part, "_held_for_a_while", noted)
    monkeypatch.setattr(registered_part, "_FIRST_UPDATES", 3)
    with tf.device(PS):
        weights = tf.Variable([1.0, 2.0])
    gradient = tf.placeholder(tf.float32, [2])
    train = tf.train.MomentumOptimizer(0.5, 0.0).apply_gradients([(gradient, weights)])
    with near(ps=1, worker=2) as servers:
        targets = [servers[f"worker:{n}"].target for n in range(2)]
        with tf.Session(targets[0]) as one, tf.Session(targets[1]) as two:
            one.run(tf.global_variables_initializer())
            assert not held
            for count in range(1, 6):
                one.run(train, {gradient: [1.0, 0.0]})
                assert len(held) == min(count, 3)
            two.run(train, {gradient: [0.0, 1.0]})
            assert len(held) == 4 and len(set(map(id, held))) == 1
            # Reading is no update.
            np.testing.assert_array_equal(two.run(weights), [1.0 - 5 * 0.5, 2.0 - 0.5])
            assert len(held) == 4


def test_who_has_waited_for_long_goes_on_without_a_turn(monkeypatch):
    """An update may run one itself, by a function of Python: that must not be a deadlock."""
    monkeypatch.setattr(registered_part, "_TURN_SECONDS", 0.01)
    lock = threading.Lock()
    with registered_part._held_for_a_while(lock):
        assert lock.locked()
        with registered_part._held_for_a_while(lock):
            pass
        assert lock.locked()
    assert not lock.locked()
