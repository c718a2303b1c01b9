"""Batch normalisation in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as tf

RNG = np.random.default_rng(0)


EPSILON = 1e-3


class Reference:
    """Batch normalisation in NumPy, in float64, of a layer with random parameters."""

    def __init__(self, channels: int) -> None:
        rng = np.random.default_rng(1)
        self.gamma, self.beta = rng.standard_normal(channels), rng.standard_normal(channels)
        self.mean, self.variance = rng.standard_normal(channels), rng.random(channels) + 0.5

    def layer(self, **arguments: Any) -> Any:
        def constant(value: Any) -> Any:
            return tf.constant_initializer(value)

        return tf.layers.BatchNormalization(
            gamma_initializer=constant(self.gamma),
            beta_initializer=constant(self.beta),
            moving_mean_initializer=constant(self.mean),
            moving_variance_initializer=constant(self.variance),
            **arguments,
        )

    def normalised(self, x: Any, mean: Any, variance: Any, axis: int) -> Any:
        """x with these statistics, its channels along `axis`."""
        last = np.moveaxis(x, axis, -1)
        y = (last - mean) / np.sqrt(variance + EPSILON) * self.gamma + self.beta
        return np.moveaxis(y, -1, axis)

    def output(self, x: Any, axis: int, training: bool) -> Any:
        if not training:
            return self.normalised(x, self.mean, self.variance, axis)
        return self.normalised(x, *statistics(x, axis), axis)

    def updated(self, x: Any, axis: int, momentum: float, unbiased: bool) -> tuple[Any, Any]:
        mean, variance = statistics(x, axis)
        count = x.size / x.shape[axis]
        if unbiased:
            variance = variance * count / (count - 1)
        return (
            momentum * self.mean + (1 - momentum) * mean,
            momentum * self.variance + (1 - momentum) * variance,
        )


def statistics(x: Any, axis: int) -> tuple[Any, Any]:
    rows = np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])
    return rows.mean(0), rows.var(0)


def truth(training: bool, fed: bool) -> Any:
    return tf.placeholder_with_default(training, []) if fed else training


def variable_names(layer: Any) -> list[str]:
    return [v.op.name.split("/")[-1] for v in layer.variables]
