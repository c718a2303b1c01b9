"""Moments, and normalisation by them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import assert_gradients, evaluate
from tests.core.ops.numeric import derivative

RANDOM = np.random.RandomState(0)
X = RANDOM.standard_normal((2, 3, 4))


@pytest.mark.parametrize("axes", [[0], [0, 1], [1, 2], [0, 1, 2], [-1]])
@pytest.mark.parametrize("keep", [False, True])
def test_moments(axes: list[int], keep: bool) -> None:
    mean, variance = tf.nn.moments(tf.constant(X), axes, keep_dims=keep)
    found = evaluate([mean, variance])
    np.testing.assert_allclose(found[0], X.mean(tuple(axes), keepdims=keep))
    np.testing.assert_allclose(found[1], X.var(tuple(axes), keepdims=keep))
    # The mean counts as a constant, as in TensorFlow: a second derivative would miss it.
    assert_gradients(lambda x: tf.nn.moments(x, axes)[1], X[:, :, :2], orders=1)


def test_moments_of_halves_are_computed_in_float32() -> None:
    x = np.full((300, 300), 200.0, np.float16)
    mean, variance = evaluate(list(tf.nn.moments(tf.constant(x), [0, 1])))
    assert mean.dtype == variance.dtype == np.float16
    assert mean == 200 and variance == 0


@pytest.mark.parametrize("axes", [[0], [0, 2]])
@pytest.mark.parametrize("keep", [False, True])
def test_weighted_moments(axes: list[int], keep: bool) -> None:
    weights = RANDOM.randint(1, 4, (2, 3, 1))
    times = np.broadcast_to(weights, X.shape)
    total = times.sum(tuple(axes), keepdims=True)
    mean = (times * X).sum(tuple(axes), keepdims=True) / total
    variance = (times * (X - mean) ** 2).sum(tuple(axes), keepdims=True) / total
    found = evaluate(list(tf.nn.weighted_moments(tf.constant(X), axes, weights, keep_dims=keep)))
    for value, expected in zip(found, (mean, variance), strict=True):
        squeezed = expected if keep else expected.squeeze(tuple(axes))
        np.testing.assert_allclose(value, squeezed, atol=1e-12)


@pytest.mark.parametrize("shift", [None, 0.5])
@pytest.mark.parametrize("known", [True, False])
def test_sufficient_statistics(shift: float | None, known: bool) -> None:
    x = tf.placeholder(tf.float64, X.shape if known else [None] * 3)
    statistics = tf.nn.sufficient_statistics(x, [0, 2], shift)
    assert (statistics[3] is None) == (shift is None)
    count, mean, variance = evaluate([statistics[0], *tf.nn.normalize_moments(*statistics)], {x: X})
    assert count == 8
    np.testing.assert_allclose(mean, X.mean((0, 2)))
    np.testing.assert_allclose(variance, X.var((0, 2)))


@pytest.mark.parametrize("offset", [None, np.array([1.0, 2.0, 3.0, 4.0])])
@pytest.mark.parametrize("scale", [None, np.array([0.5, 1.0, 2.0, -1.0])])
def test_batch_normalization(offset: Any, scale: Any) -> None:
    mean, variance = X.mean((0, 1)), X.var((0, 1))
    expected = (X - mean) / np.sqrt(variance + 0.1)
    expected = expected * (1 if scale is None else scale) + (0 if offset is None else offset)
    y = tf.nn.batch_normalization(tf.constant(X), mean, variance, offset, scale, 0.1)
    np.testing.assert_allclose(evaluate(y), expected)
    assert_gradients(
        lambda x, m, v: tf.nn.batch_normalization(x, m, v, offset, scale, 0.1),
        X[:1],
        mean,
        variance,
    )


def test_batch_normalization_of_half_precision_by_single_statistics() -> None:
    x = X.astype(np.float16)
    mean, variance = (f(X, (0, 1)).astype(np.float32) for f in (np.mean, np.var))
    y = tf.nn.batch_normalization(x, mean, variance, np.float32(1.0), None, 0.1)
    assert y.dtype is tf.float16
    expected = (X - mean) / np.sqrt(variance + 0.1) + 1.0
    np.testing.assert_allclose(evaluate(y), expected, rtol=1e-2, atol=1e-2)


def test_the_old_spelling() -> None:
    image, vectors = X[np.newaxis], [RANDOM.random_sample(4) + 0.5 for _ in range(4)]
    m, v, beta, gamma = vectors
    for scaled in (True, False):
        y = tf.nn.batch_norm_with_global_normalization(
            tf.constant(image), m, v, beta, gamma, 0.1, scaled
        )
        expected = (image - m) / np.sqrt(v + 0.1) * (gamma if scaled else 1) + beta
        np.testing.assert_allclose(evaluate(y), expected)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("training", [True, False])
def test_fused_batch_norm(data_format: str, training: bool) -> None:
    x, scale, offset = X[np.newaxis], RANDOM.randn(4), RANDOM.randn(4)
    given = {} if training else {"mean": RANDOM.randn(4), "variance": RANDOM.rand(4) + 0.1}
    mean = x.mean((0, 1, 2)) if training else given["mean"]
    variance = x.var((0, 1, 2)) if training else given["variance"]
    image = np.moveaxis(x, 3, 1) if data_format == "NCHW" else x
    y, found_mean, found_variance = evaluate(
        list(
            tf.nn.fused_batch_norm(
                tf.constant(image),
                scale,
                offset,
                epsilon=0.1,
                data_format=data_format,
                is_training=training,
                **given,
            )
        )
    )
    expected = (x - mean) / np.sqrt(variance + 0.1) * scale + offset
    np.testing.assert_allclose(
        y, np.moveaxis(expected, 3, 1) if data_format == "NCHW" else expected
    )
    np.testing.assert_allclose(found_mean, mean)
    np.testing.assert_allclose(found_variance, variance * (6 / 5 if training else 1))


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("training", [True, False])
def test_fused_batch_norm_second_order(data_format: str, training: bool) -> None:
    """All that flows, through the outputs for moving averages too."""
    arrays = [RANDOM.randn(1, 2, 2, 2), RANDOM.randn(2), RANDOM.randn(2)]
    arrays += [] if training else [RANDOM.randn(2), RANDOM.rand(2) + 0.5]
    inputs = [tf.placeholder(tf.float64, a.shape) for a in arrays]
    y, mean, variance = tf.nn.fused_batch_norm(
        *inputs, epsilon=0.1, data_format=data_format, is_training=training
    )
    loss = tf.reduce_sum(tf.sin(y)) + tf.reduce_sum(tf.sin(mean) * tf.cos(variance))
    with tf.Session() as session:
        for _ in range(2):
            found = tf.gradients(loss, inputs)
            value = session.make_callable(loss, inputs)
            for i, array in enumerate(arrays):

                def moved(x: Any, i: int = i, value: Any = value) -> Any:
                    return value(*arrays[:i], x, *arrays[i + 1 :])

                np.testing.assert_allclose(
                    session.run(found[i], dict(zip(inputs, arrays, strict=True))),
                    derivative(moved, array),
                    rtol=1e-5,
                    atol=1e-5,
                )
            loss = tf.add_n([tf.reduce_sum(tf.sin(g)) for g in found])


def test_fused_batch_norm_of_halves() -> None:
    x = tf.constant(X[np.newaxis].astype(np.float16))
    y, mean, _ = tf.nn.fused_batch_norm(x, tf.ones([4]), tf.zeros([4]))
    assert y.dtype == tf.float16 and mean.dtype == tf.float32
    (gradient,) = tf.gradients(y, x)
    assert evaluate(gradient).dtype == np.float16


def test_fused_batch_norm_errors() -> None:
    x = tf.ones([1, 2, 2, 3])
    with pytest.raises(ValueError, match="must be None if is_training is True"):
        tf.nn.fused_batch_norm(x, tf.ones([3]), tf.ones([3]), mean=tf.ones([3]))
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4"):
        tf.nn.fused_batch_norm(x, tf.ones([4]), tf.ones([3]))
    with pytest.raises(ValueError, match="Shape must be rank 4 but is rank 2"):
        tf.nn.fused_batch_norm(tf.ones([2, 3]), tf.ones([3]), tf.ones([3]))


@pytest.mark.parametrize("radius", [0, 1, 5])
def test_local_response_normalization(radius: int) -> None:
    x = X[np.newaxis]
    sums = np.zeros_like(x)
    for c in range(4):
        near = x[..., max(c - radius, 0) : c + radius + 1]
        sums[..., c] = (near**2).sum(-1)
    expected = x / (2 + 0.5 * sums) ** 0.75
    y = tf.nn.lrn(tf.constant(x), radius, bias=2.0, alpha=0.5, beta=0.75)
    np.testing.assert_allclose(evaluate(y), expected)
    assert_gradients(lambda t: tf.nn.lrn(t, radius, 2.0, 0.5, 0.75), x[:, :1], orders=1)
