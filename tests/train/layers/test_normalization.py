"""Batch normalisation layers against NumPy: outputs, gradients and moving averages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.kernels.oracles import numeric_gradient

RNG = np.random.default_rng(0)
EPSILON = 1e-3


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


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


CASES: list[tuple[tuple[int, ...], int, bool | None]] = [
    ((6, 3), -1, None),
    ((4, 5, 3), -1, None),
    ((4, 3, 5), 1, None),
    ((2, 3, 4, 3), -1, None),
    ((2, 3, 4, 3), -1, False),
    ((2, 3, 4, 5), 1, None),
    ((2, 3, 4, 5), 1, False),
    ((2, 2, 2, 3, 3), -1, None),
]


def truth(training: bool, fed: bool) -> Any:
    return tf.placeholder_with_default(training, []) if fed else training


@pytest.mark.parametrize("fed", [False, True], ids=["known", "fed"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("shape", "axis", "fused"), CASES)
def test_outputs_and_averages(
    shape: tuple[int, ...], axis: int, fused: bool | None, training: bool, fed: bool
) -> None:
    reference = Reference(3)
    x = RNG.standard_normal(shape) * 2 + 1
    layer = reference.layer(axis=axis, fused=fused, momentum=0.75)
    y = layer(tf.constant(x), training=truth(training, fed))
    assert y.shape.as_list() == list(shape)
    assert layer.compute_output_shape(shape).as_list() == list(shape)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        result = session.run(y)
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        mean, variance = session.run([layer.moving_mean, layer.moving_variance])
    np.testing.assert_allclose(result, reference.output(x, axis, training), atol=1e-10)
    unbiased = len(shape) == 4 and fused is None
    expected = (reference.mean, reference.variance)
    if training:
        expected = reference.updated(x, axis, 0.75, unbiased)
    np.testing.assert_allclose(mean, expected[0], atol=1e-7)
    np.testing.assert_allclose(variance, expected[1], atol=1e-7)


@pytest.mark.parametrize("fed", [False, True], ids=["known", "fed"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("shape", "axis", "fused"),
    [((5, 3), -1, None), ((2, 2, 2, 3), 3, None), ((2, 3, 2, 2), 1, None)],
)
def test_gradients(
    shape: tuple[int, ...], axis: int, fused: bool | None, training: bool, fed: bool
) -> None:
    reference = Reference(3)
    value, seed = RNG.standard_normal(shape), RNG.standard_normal(shape)
    x = tf.constant(value)
    layer = reference.layer(axis=axis, fused=fused)
    y = layer(x, training=truth(training, fed))
    gradients = tf.gradients(y, [x, layer.gamma, layer.beta], grad_ys=tf.constant(seed))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(gradients)

    def function(x: Any, gamma: Any, beta: Any) -> Any:
        reference.gamma, reference.beta = gamma, beta
        return reference.output(x, axis, training)

    inputs = [value, reference.gamma, reference.beta]
    for index, gradient in enumerate(found):
        expected = numeric_gradient(function, inputs, index, seed)
        np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_moving_averages_over_steps() -> None:
    x = tf.placeholder(tf.float32, [None, 2])
    training = tf.placeholder(tf.bool)
    layer = tf.layers.BatchNormalization(momentum=0.9)
    y = layer(x, training=training)
    with tf.control_dependencies(layer.updates):
        step = tf.identity(y)
    mean, variance = np.zeros(2), np.ones(2)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for number in range(20):
            batch = RNG.standard_normal((16, 2)) * [1, 3] + [5, -2]
            learns = number % 3 != 0
            session.run(step, {x: batch, training: learns})
            if learns:
                mean = 0.9 * mean + 0.1 * batch.mean(0)
                variance = 0.9 * variance + 0.1 * batch.var(0)
        found = session.run([layer.moving_mean, layer.moving_variance])
    np.testing.assert_allclose(found[0], mean, rtol=1e-4)
    np.testing.assert_allclose(found[1], variance, rtol=1e-4)


def test_wild_values_outside_of_training_leave_the_averages_alone() -> None:
    x = tf.placeholder(tf.float32, [2, 1])
    training = tf.placeholder(tf.bool)
    layer = tf.layers.BatchNormalization()
    y = layer(x, training=training)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        feeds = {x: [[np.nan], [1.0]], training: False}
        result, *_ = session.run([y, *layer.updates], feeds)
        averages = session.run([layer.moving_mean, layer.moving_variance])
    assert np.isnan(result[0, 0])
    assert result[1, 0] == pytest.approx(1 / np.sqrt(1 + EPSILON))
    assert [a.tolist() for a in averages] == [[0.0], [1.0]]


# What is made -------------------------------------------------------------------------------------


def variable_names(layer: Any) -> list[str]:
    return [v.op.name.split("/")[-1] for v in layer.variables]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["gamma", "beta", "moving_mean", "moving_variance"]),
        ({"center": False}, ["gamma", "moving_mean", "moving_variance"]),
        ({"scale": False}, ["beta", "moving_mean", "moving_variance"]),
        ({"center": False, "scale": False}, ["moving_mean", "moving_variance"]),
    ],
)
@pytest.mark.parametrize("shape", [(4, 3), (2, 2, 2, 3)])
def test_variables(arguments: Any, expected: list[str], shape: Any) -> None:
    layer = tf.layers.BatchNormalization(**arguments)
    value = RNG.standard_normal(shape)
    y = layer(tf.constant(value), training=True)
    assert variable_names(layer) == expected
    assert [v.op.name for v in tf.trainable_variables()] == [
        f"batch_normalization/{name}" for name in expected[:-2]
    ]
    mean, variance = statistics(value, -1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_allclose(
            session.run(y), (value - mean) / np.sqrt(variance + EPSILON), atol=1e-9
        )


def test_updates_are_collected() -> None:
    layer = tf.layers.BatchNormalization()
    a, b = tf.ones([4, 3]), tf.ones([4, 3])
    layer(a, training=True)
    layer(b, training=tf.placeholder(tf.bool))
    layer(b, training=False)
    assert len(layer.updates) == 4
    assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == layer.updates
    assert layer.get_updates_for(a) == layer.updates[:2]
    assert layer.get_updates_for(b) == layer.updates[2:]


def test_function() -> None:
    a = tf.constant(RNG.standard_normal((4, 3)))
    arguments: dict[str, Any] = {"name": "bn", "gamma_regularizer": tf.reduce_sum}
    first = tf.layers.batch_normalization(a, training=True, **arguments)
    second = tf.layers.batch_normalization(a, training=True, reuse=True, **arguments)
    assert len(tf.global_variables()) == 4
    assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 1
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        one, other = session.run([first, second])
    np.testing.assert_array_equal(one, other)


def test_averages_are_not_divided() -> None:
    with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)):
        tf.layers.batch_normalization(tf.ones([4, 6]), training=True)
    names = [v.op.name.removeprefix("s/batch_normalization/") for v in tf.global_variables()]
    parts = ["gamma/part_0", "gamma/part_1", "beta/part_0", "beta/part_1"]
    assert names == [*parts, "moving_mean", "moving_variance"]


@pytest.mark.parametrize("shape", [(6, 3), (2, 2, 2, 3)])
def test_half_floats_are_summed_in_float32(shape: Any) -> None:
    value = (RNG.standard_normal(shape) + 100).astype(np.float16)
    for training in (True, truth(True, fed=True)):
        layer = tf.layers.BatchNormalization()
        y = layer(tf.constant(value), training=training)
        assert layer.gamma.dtype.base_dtype == tf.float32
        mean, variance = statistics(value.astype(np.float64), -1)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            result = session.run(y)
        assert result.dtype == np.float16
        expected = (value.astype(np.float64) - mean) / np.sqrt(variance + EPSILON)
        np.testing.assert_allclose(result, expected, atol=5e-3)


# Variants -----------------------------------------------------------------------------------------


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


# Refused ------------------------------------------------------------------------------------------


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
