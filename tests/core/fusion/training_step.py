"""A step of training in both tiers."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.networks import batches, perceptron
from tests.core.fusion.two_tiers import Pair, compare, variables_of


class Step:
    """A step of training, and sessions of both tiers to do it."""

    def __init__(self, initialise: bool = True, make: Any = perceptron, **options: Any) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.network = make()
            self.train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(
                self.network.loss, tf.train.get_or_create_global_step()
            )
            self.fetches = [self.network.loss, self.train, list(self.network.others)]
            (self.feeds,) = batches(self.network, [6])
            self.x, self.y = list(self.feeds)
        self.pair = Pair(self.graph, **options)
        if initialise:
            self.pair.initialise()

    def __enter__(self) -> Step:
        return self

    def __exit__(self, *error: Any) -> None:
        self.pair.__exit__(*error)

    @property
    def variables(self) -> list[Any]:
        with self.graph.as_default():
            return tf.global_variables()

    def fails(self, feeds: dict[Any, Any]) -> str:
        """Both fail in the same words, and change nothing; then both go on."""
        before = {t: variables_of(s) for t, s in self.pair.sessions.items()}
        outcomes = self.pair.run(self.fetches, feeds)
        compare(outcomes["compiled"], outcomes["interpreted"])
        assert outcomes["compiled"].error is not None
        for tier, outcome in outcomes.items():
            for name, value in before[tier].items():
                np.testing.assert_array_equal(
                    outcome.variables[name], value, f"{tier} changed {name}"
                )
        self.agrees(self.feeds)
        return str(outcomes["compiled"].error)

    def agrees(self, feeds: dict[Any, Any], tolerance: float = 1e-4) -> None:
        self.pair.check(self.fetches, feeds, tolerance=tolerance, times=2)
