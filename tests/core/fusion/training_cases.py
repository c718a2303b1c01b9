"""Training on both tiers: networks of every kind, and every optimizer, over many steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.networks import NETWORKS, batches, perceptron
from tests.core.fusion.two_tiers import Pair

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "gradient descent": lambda: tf.train.GradientDescentOptimizer(0.05),
    "momentum": lambda: tf.train.MomentumOptimizer(0.05, 0.9),
    "nesterov": lambda: tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True),
    "adam": lambda: tf.train.AdamOptimizer(0.01),
    "adagrad": lambda: tf.train.AdagradOptimizer(0.05),
    "adagrad dual averaging": lambda: tf.train.AdagradDAOptimizer(
        0.05, tf.train.get_or_create_global_step()
    ),
    "proximal adagrad": lambda: tf.train.ProximalAdagradOptimizer(
        0.05, l1_regularization_strength=1e-3, l2_regularization_strength=1e-3
    ),
    "adadelta": lambda: tf.train.AdadeltaOptimizer(0.5),
    "rmsprop": lambda: tf.train.RMSPropOptimizer(0.01, momentum=0.5),
    "centered rmsprop": lambda: tf.train.RMSPropOptimizer(0.01, centered=True),
    "ftrl": lambda: tf.train.FtrlOptimizer(
        0.05, l1_regularization_strength=1e-3, l2_regularization_strength=1e-3
    ),
    "proximal gradient descent": lambda: tf.train.ProximalGradientDescentOptimizer(
        0.05, l1_regularization_strength=1e-3
    ),
}
STEPS = 20


def trained(
    make: Callable[[], Any], optimizer: Callable[[], Any], sizes: list[int], averaged: bool = False
) -> None:
    """Trains on both tiers; rounding errors grow with the steps, but stay small."""
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(4)
        network = make()
        step = tf.train.get_or_create_global_step()
        train = optimizer().minimize(network.loss, global_step=step)
        if averaged:
            averages = tf.train.ExponentialMovingAverage(0.9)
            with tf.control_dependencies([train]):
                train = averages.apply(tf.trainable_variables())
        fetches = [network.loss, list(network.others), train, step]
        with Pair(graph) as pair:
            pair.initialise()
            losses = []
            for feeds in batches(network, sizes):
                outcome = pair.check(fetches, feeds, tolerance=2e-4, times=1)
                assert outcome.error is None, outcome.error
                losses.append(float(outcome.results[0]))
            assert np.isfinite(losses).all()
            assert len({*losses}) > len(sizes) // 2, "nothing is learned"
            assert not pair.reasons, f"nothing was compiled: {pair.reasons}"


def clipped() -> Any:
    """Gradient descent on gradients of bounded norm."""

    class Clipping(tf.train.GradientDescentOptimizer):  # type: ignore[misc, name-defined]
        def compute_gradients(self, *arguments: Any, **options: Any) -> Any:
            pairs = super().compute_gradients(*arguments, **options)
            gradients, _ = tf.clip_by_global_norm([g for g, _ in pairs], 0.5)
            return list(zip(gradients, [v for _, v in pairs], strict=True))

    return Clipping(0.1)


def cases() -> dict[str, Callable[[], None]]:
    """By name."""
    found: dict[str, Callable[[], None]] = {}
    for name, optimizer in OPTIMIZERS.items():
        found[name] = partial(trained, perceptron, optimizer, [8] * STEPS)
    found["clipped"] = partial(trained, perceptron, clipped, [8] * STEPS)
    found["averaged"] = partial(trained, perceptron, OPTIMIZERS["momentum"], [8] * 10, True)
    for name, network in NETWORKS.items():
        found[name] = partial(trained, network, OPTIMIZERS["gradient descent"], [6] * 8)
        found[f"{name} of changing size"] = partial(
            trained, network, OPTIMIZERS["momentum"], [1, 7, 16, 3, 7, 64, 1, 33]
        )
    return found
