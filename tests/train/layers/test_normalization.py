"""Batch normalisation layers against NumPy: outputs, gradients and moving averages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.kernels.oracles import numeric_gradient
from tests.train.layers.normalizing import (
    EPSILON,
    RNG,
    Reference,
    statistics,
    truth,
    variable_names,
)

pytestmark = pytest.mark.usefixtures("graph")


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
