"""What replicas draw: each its own numbers, those of its batch, whoever takes it and how often."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.cluster.replication.models import in_threads
from workbench.cluster.replication.replica import Replica
from workbench.cluster.replication.roster import Roster
from workbench.cluster.replication.served_replica import ServedReplica
from workbench.cluster.replication.strategy import Share
from workbench.cluster.replication.wandering_replica import WanderingReplica

STEPS = 6


class Noisy:
    """A variable that is trained under a mask, which is drawn twice in a loop too."""

    def __init__(self) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.w = tf.Variable(tf.random_normal([4], seed=7, dtype=tf.float64))
            self.mask = tf.random_uniform([4], seed=5, dtype=tf.float64)
            self.drawn = tf.while_loop(
                lambda i, total: i < 2,
                lambda i, total: (i + 1, tf.concat([total, tf.random_uniform([2], seed=9)], 0)),
                [0, tf.zeros([0])],
                [tf.TensorShape([]), tf.TensorShape([None])],
            )[1]
            loss = tf.reduce_sum(tf.square(self.w * self.mask - 1))
            self.train = tf.train.GradientDescentOptimizer(0.0625).minimize(loss)
            self.init = tf.global_variables_initializer()


def masks(count: int) -> list[Any]:
    """What one session draws, step after step."""
    model = Noisy()
    with tf.Session(graph=model.graph) as session:
        return [session.run(model.mask) for _ in range(count)]


def train(strategy: Any, roster: Any, steps: int, shares: list[Share], together: Any = None) -> Any:
    """One replica: its first variable, its last one, and what it drew for which batch.

    It stays until all have come to the end, where `together` is given: who serves the variables
    takes what others have not heard of along.
    """
    model = Noisy()
    with tf.Session(graph=model.graph) as session:
        session.run(model.init)
        begun = session.run(model.w)

        def feed(share: Share) -> dict[Any, Any]:
            shares.append(share)
            return {}

        with strategy(session, model.train, roster.address, timeout=20) as replica:
            drawn = []
            for _ in range(steps):
                mask, others = replica.step([model.mask, model.drawn], feed)
                # Of a step that was begun twice, what was begun last.
                drawn.append((shares[-1].batch, mask, others))
            if together is not None:
                together.wait(60)
            return begun, session.run(model.w), drawn


@pytest.mark.parametrize("strategy", [Replica, ServedReplica, WanderingReplica])
def test_what_is_drawn_belongs_to_the_batch(strategy: Any) -> None:
    shares: list[list[Share]] = [[], []]
    together = threading.Barrier(2)
    with Roster(2) as roster:
        found = in_threads(2, lambda n: train(strategy, roster, STEPS, shares[n], together))
    known = masks(1 + max(batch for _, _, drawn in found for batch, _, _ in drawn))
    assert found[0][0].tobytes() == found[1][0].tobytes(), "the same variables to begin with"
    for _, _, drawn in found:
        for batch, mask, _ in drawn:
            assert mask.tobytes() == known[batch].tobytes(), batch
    # What is drawn further in a step is of no other step, and of no other replica.
    loops = np.concatenate([both for _, _, drawn in found for _, _, both in drawn])
    assert loops.size == len(np.unique(loops)) == 2 * STEPS * 4


def test_steps_that_are_taken_again_draw_the_same() -> None:
    """One replica leaves: the step that the other one began with it is taken again."""

    def once() -> tuple[Any, list[Share]]:
        shares: list[list[Share]] = [[], []]
        with Roster(2) as roster:
            found = in_threads(2, lambda n: train(Replica, roster, 3 + 3 * n, shares[n]))
        return found[1][1], max(shares, key=len)

    (first, shares), (second, _) = once(), once()
    begun = [(share.step, share.batch) for share in shares]
    assert len(begun) == 7 and begun[3][0] == begun[4][0] == 3, begun
    model, known, w = Noisy(), masks(9), None
    with tf.Session(graph=model.graph) as session:
        session.run(model.init)
        w = session.run(model.w)
    for batches in [(0, 1), (2, 3), (4, 5), (6,), (7,), (8,)]:
        gradients = [2 * known[b] * (w * known[b] - 1) for b in batches]
        w = w - 0.0625 * np.mean(gradients, axis=0)
    np.testing.assert_allclose(first, w, rtol=1e-12)
    np.testing.assert_allclose(second, w, rtol=1e-12)
