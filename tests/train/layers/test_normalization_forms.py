"""Forms of batch normalisation: several axes, parts of a batch, adjustment, renormalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.layers.normalizing import (
    EPSILON,
    RNG,
    Reference,
    statistics,
    truth,
    variable_names,
)

pytestmark = pytest.mark.usefixtures("graph")


@pytest.mark.parametrize("fed", [False, True], ids=["known", "fed"])
@pytest.mark.parametrize("training", [True, False])
def test_several_axes(training: bool, fed: bool) -> None:
    value = RNG.standard_normal((4, 3, 5, 2))
    layer = tf.layers.BatchNormalization(axis=[1, -1])
    y = layer(tf.constant(value), training=truth(training, fed))
    assert layer.gamma.shape.as_list() == [1, 3, 1, 2]
    mean, variance = 0.0, 1.0
    if training:
        mean, variance = value.mean((0, 2), keepdims=True), value.var((0, 2), keepdims=True)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        result = session.run(y)
    np.testing.assert_allclose(result, (value - mean) / np.sqrt(variance + EPSILON), atol=1e-9)


@pytest.mark.parametrize("fed", [False, True], ids=["known", "fed"])
@pytest.mark.parametrize("shape", [(6, 3), (6, 2, 2, 3)])
def test_virtual_batches(shape: Any, fed: bool) -> None:
    value = RNG.standard_normal(shape)
    layer = tf.layers.BatchNormalization(virtual_batch_size=2, momentum=0.5)
    x = tf.placeholder(tf.float64, [None, *shape[1:]])
    training = tf.placeholder_with_default(True, []) if fed else True
    y = layer(x, training=training)
    # The rows r, r + 3 make up a virtual batch, of which there are three.
    parts = value.reshape(2, 3, *shape[1:])
    axes = (0, *range(2, parts.ndim - 1))
    mean, variance = parts.mean(axes, keepdims=True), parts.var(axes, keepdims=True)
    expected = ((parts - mean) / np.sqrt(variance + EPSILON)).reshape(shape)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        result, *_ = session.run([y, *layer.updates], {x: value})
        averages = session.run([layer.moving_mean, layer.moving_variance])
        if fed:
            before = averages
            used = session.run([y, *layer.updates], {x: value, training: False})[0]
            averages = session.run([layer.moving_mean, layer.moving_variance])
            for one, other in zip(before, averages, strict=True):
                np.testing.assert_array_equal(one, other)
            np.testing.assert_allclose(
                used, (value - before[0][0]) / np.sqrt(before[1][0] + EPSILON), atol=1e-9
            )
    np.testing.assert_allclose(result, expected, atol=1e-9)
    np.testing.assert_allclose(averages[0].ravel(), 0.5 * mean.mean(1).ravel(), atol=1e-7)
    np.testing.assert_allclose(averages[1].ravel(), 0.5 + 0.5 * variance.mean(1).ravel(), atol=1e-7)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("fed", [False, True], ids=["known", "fed"])
def test_adjustment(training: bool, fed: bool) -> None:
    def adjustment(shape: Any) -> tuple[Any, Any]:
        ones = tf.ones([shape[0], 1], tf.float64)
        return 2.0 * ones, 0.5 * ones

    value = RNG.standard_normal((5, 3))
    reference = Reference(3)
    layer = reference.layer(adjustment=adjustment)
    y = layer(tf.constant(value), training=truth(training, fed))
    expected = reference.output(value, -1, training)
    if training:
        mean, variance = statistics(value, -1)
        normal = (value - mean) / np.sqrt(variance + EPSILON)
        expected = (normal * 2.0 + 0.5) * reference.gamma + reference.beta
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_allclose(session.run(y), expected, atol=1e-9)


@pytest.mark.parametrize("fed", [False, True], ids=["known", "fed"])
@pytest.mark.parametrize("clipping", [None, {"rmax": 1.1, "rmin": 0.9, "dmax": 0.1}])
def test_renormalisation(clipping: Any, fed: bool) -> None:
    """Five steps of the recurrences of the paper, with TensorFlow's handling of their start."""
    reference = Reference(3)
    layer = reference.layer(
        renorm=True, renorm_clipping=clipping, renorm_momentum=0.8, momentum=0.9
    )
    x = tf.placeholder(tf.float64, [4, 3])
    training = tf.placeholder_with_default(True, []) if fed else True
    y = layer(x, training=training)
    used = layer(x, training=False)
    bounds = clipping or {"rmax": np.inf, "rmin": 0.0, "dmax": np.inf}
    mean, variance = reference.mean, reference.variance
    renorm_mean, renorm_stddev, weight = np.zeros(3), np.zeros(3), 0.0
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(5):
            value = RNG.standard_normal((4, 3))
            batch_mean, stddev = value.mean(0), np.sqrt(value.var(0) + EPSILON)
            mixed_mean = renorm_mean + (1 - weight) * batch_mean
            mixed_stddev = renorm_stddev + (1 - weight) * stddev
            r = np.clip(stddev / mixed_stddev, bounds["rmin"], bounds["rmax"])
            d = np.clip((batch_mean - mixed_mean) / mixed_stddev, -bounds["dmax"], bounds["dmax"])
            expected = ((value - batch_mean) / stddev * r + d) * reference.gamma + reference.beta
            renorm_mean += 0.2 * (batch_mean - renorm_mean)
            renorm_stddev += 0.2 * (stddev - renorm_stddev)
            weight += 0.2 * (1 - weight)
            mean = mean + 0.1 * (renorm_mean / weight - mean)
            variance = variance + 0.1 * ((renorm_stddev / weight) ** 2 - EPSILON - variance)
            result, *_ = session.run([y, *layer.updates], {x: value})
            np.testing.assert_allclose(result, expected, atol=1e-7)
            outside = session.run(used, {x: value})
            np.testing.assert_allclose(
                outside, reference.normalised(value, mean, variance, -1), atol=1e-7
            )
            if fed:
                outside, *_ = session.run([y, *layer.updates], {x: value, training: False})
                np.testing.assert_allclose(
                    outside, reference.normalised(value, mean, variance, -1), atol=1e-7
                )


def test_renormalisation_unused_keeps_its_averages() -> None:
    training = tf.placeholder(tf.bool)
    layer = tf.layers.BatchNormalization(renorm=True)
    y = layer(tf.ones([4, 3]), training=training)
    assert variable_names(layer)[-4:] == [
        "renorm_mean",
        "renorm_mean_weight",
        "renorm_stddev",
        "renorm_stddev_weight",
    ]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(layer.variables)
        result, *_ = session.run([y, *layer.updates], {training: False})
        after = session.run(layer.variables)
    assert np.isfinite(result).all()
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: tf.layers.BatchNormalization(renorm_clipping={"max": 1}), "keys .*'max'.* not in"),
        (
            lambda: tf.layers.BatchNormalization(fused=True, renorm=True),
            "fused=True goes with none",
        ),
        (
            lambda: tf.layers.BatchNormalization(fused=True)(tf.ones([2, 3])),
            "fused=True needs an input of rank 4",
        ),
        (lambda: tf.layers.BatchNormalization(axis=2)(tf.ones([2, 3])), "Invalid axis"),
        (lambda: tf.layers.BatchNormalization(axis=[1, -1])(tf.ones([2, 3])), "Invalid axis"),
        (
            lambda: tf.layers.BatchNormalization()(tf.placeholder(tf.float32, [2, None])),
            "undefined `axis` dimension",
        ),
        (
            lambda: tf.layers.BatchNormalization()(tf.placeholder(tf.float32)),
            "undefined rank",
        ),
        (
            lambda: tf.layers.BatchNormalization(virtual_batch_size=0)(tf.ones([2, 3])),
            "positive integer",
        ),
        (
            lambda: tf.layers.BatchNormalization(axis=0, virtual_batch_size=2)(tf.ones([2, 3])),
            "axis cannot include 0",
        ),
        (
            lambda: tf.layers.BatchNormalization(
                virtual_batch_size=2, adjustment=lambda shape: (1.0, 0.0)
            )(tf.ones([2, 3])),
            "adjustment cannot be specified",
        ),
    ],
)
def test_wrong_arguments(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()
