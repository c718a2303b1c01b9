"""Normalising layers beside plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


layers = tf.contrib.layers
Array = np.ndarray[Any, Any]


def numbers(*sizes: int) -> Array:
    return np.random.default_rng(0).normal(1.0, 2.0, size=sizes).astype(np.float32)


def standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    result: Array = (x - mean) / np.sqrt(variance + epsilon)
    return result


def averages() -> dict[str, Any]:
    return {v.op.name.split("/")[-1]: v for v in tf.model_variables()}


@pytest.mark.parametrize(
    ("sizes", "arguments", "is_fused"),
    [
        ((6, 3), {}, True),
        ((6, 3), {"fused": False}, False),
        ((4, 5, 3), {}, False),
        ((2, 4, 5, 3), {}, True),
        ((2, 4, 5, 3), {"zero_debias_moving_mean": True, "fused": False}, False),
        ((2, 4, 5, 3), {"zero_debias_moving_mean": True}, True),
        ((2, 4, 5, 3), {"batch_weights": [1.0, 1.0]}, False),
    ],
)
@pytest.mark.parametrize("updates", ["in the collection", "at once"])
def test_batches(
    sizes: tuple[int, ...], arguments: dict[str, Any], is_fused: bool, updates: str
) -> None:
    x = numbers(*sizes)
    placeholder = tf.placeholder(tf.float32, [None, *sizes[1:]])
    training = tf.placeholder(tf.bool, []) if not arguments else True
    collections = tf.GraphKeys.UPDATE_OPS if updates == "in the collection" else None
    y = layers.batch_norm(
        placeholder,
        decay=0.75,
        is_training=training,
        updates_collections=collections,
        **arguments,
    )
    collected = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    assert len(collected) == (2 if collections else 0)
    axes = tuple(range(x.ndim - 1))
    count = x.size // sizes[-1]
    expected_mean = x.mean(axes)
    if "zero_debias_moving_mean" not in arguments:
        expected_mean = 0.25 * expected_mean
    # The fused operation divides by n - 1 for the average.
    variance = x.var(axes) * (count / (count - 1) if is_fused else 1.0)
    feed: dict[Any, Any] = {placeholder: x}
    if training is not True:
        feed[training] = True
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run([y, *collected], feed)[0]
        np.testing.assert_allclose(found, standardised(x, axes, 0.001), rtol=1e-3, atol=1e-4)
        mean, spread = session.run([averages()["moving_mean"], averages()["moving_variance"]])
        np.testing.assert_allclose(mean, expected_mean, rtol=1e-4)
        np.testing.assert_allclose(spread, 0.75 + 0.25 * variance, rtol=1e-4)
        if training is not True:
            feed[training] = False
            used = session.run([y, *collected], feed)[0]
            np.testing.assert_allclose(
                used, (x - mean) / np.sqrt(spread + 0.001), rtol=1e-3, atol=1e-4
            )
            unchanged = session.run([averages()["moving_mean"], averages()["moving_variance"]])
            np.testing.assert_allclose(unchanged, [mean, spread], rtol=1e-6)


def test_examples_can_count_more_or_less() -> None:
    x = numbers(3, 2)
    weights = np.array([1.0, 0.0, 3.0], np.float32)
    y = layers.batch_norm(tf.constant(x), batch_weights=weights, scale=True)
    mean = (weights[:, None] * x).sum(0) / 4.0
    variance = (weights[:, None] * (x - mean) ** 2).sum(0) / 4.0
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(y)
    np.testing.assert_allclose(found, (x - mean) / np.sqrt(variance + 0.001), rtol=1e-4)
    with pytest.raises(ValueError, match="renorm is not supported with"):
        layers.batch_norm(tf.constant(x), batch_weights=weights, renorm=True)


def test_use_without_training_updates_nothing() -> None:
    y = layers.batch_norm(tf.constant(numbers(4, 3)), is_training=False)
    assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == []
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_allclose(session.run(y), numbers(4, 3) / np.sqrt(1.001), rtol=1e-5)


@pytest.mark.parametrize("first", [1, 2, -1])
def test_layers(first: int) -> None:
    x = numbers(2, 3, 4)
    y = layers.layer_norm(
        tf.constant(x), begin_norm_axis=first, begin_params_axis=1, activation_fn=tf.nn.relu
    )
    axes = tuple(range(first % 3, 3))
    assert [v.shape.as_list() for v in tf.model_variables()] == [[3, 4], [3, 4]]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(y)
    np.testing.assert_allclose(
        found, np.maximum(standardised(x, axes, 1e-12), 0), rtol=1e-3, atol=1e-5
    )


def test_instances() -> None:
    x = numbers(2, 5, 4, 3)
    y = layers.instance_norm(
        tf.constant(x), param_initializers={"gamma": tf.constant_initializer(2.0)}
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(y)
    np.testing.assert_allclose(found, 2.0 * standardised(x, (1, 2), 1e-6), rtol=1e-3, atol=1e-4)
