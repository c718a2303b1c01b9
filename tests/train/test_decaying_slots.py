"""What optimizers keep decays to zero where no gradients come any more, and not to numbers that
processors compute with slowly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import workbench as tf

LEAST = np.finfo(np.float32).smallest_normal
OPTIMIZERS: dict[str, Callable[[], tf.train.Optimizer]] = {
    "Momentum": lambda: tf.train.MomentumOptimizer(0.1, 0.3),
    "Adam": lambda: tf.train.AdamOptimizer(0.1, 0.3, 0.3),
    "Adadelta": lambda: tf.train.AdadeltaOptimizer(0.1, 0.3),
    "RMSProp": lambda: tf.train.RMSPropOptimizer(0.1, 0.3, 0.3),
    "centered RMSProp": lambda: tf.train.RMSPropOptimizer(0.1, 0.3, 0.3, centered=True),
}


@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_slots_end_at_zero(name: str, tier: str) -> None:
    optimizer = OPTIMIZERS[name]()
    # A gradient that ends for one element, goes on for another one, and never is for the third.
    variable = tf.Variable([1.0, 2.0, 3.0])
    gradient = tf.placeholder(tf.float32, [3])
    train = optimizer.apply_gradients([(gradient, variable)])
    slots = [optimizer.get_slot(variable, each) for each in optimizer.get_slot_names()]
    with tf.Session(tier=tier) as session:
        session.run(tf.global_variables_initializer())
        session.run(train, {gradient: [0.1, 0.1, 0.0]})
        began = session.run(slots)
        for _ in range(110):
            session.run(train, {gradient: [0.0, 0.1, 0.0]})
            found = np.abs(session.run(slots))
            assert np.all((found == 0) | (found >= LEAST))
    assert any(slot[0] for slot in began)
    assert not np.any(found[:, 0])
    assert np.all(found[:, 1] > LEAST)


@pytest.mark.parametrize("tier", ["interpreted", "compiled"])
def test_what_is_no_number_stays(tier: str) -> None:
    optimizer = tf.train.MomentumOptimizer(0.1, 0.3)
    variable = tf.Variable([1.0, 2.0])
    gradient = tf.placeholder(tf.float32, [2])
    train = optimizer.apply_gradients([(gradient, variable)])
    with tf.Session(tier=tier) as session:
        session.run(tf.global_variables_initializer())
        session.run(train, {gradient: [np.nan, -np.inf]})
        slot = session.run(optimizer.get_slot(variable, "momentum"))
    np.testing.assert_array_equal(slot, np.array([np.nan, -np.inf], np.float32))
