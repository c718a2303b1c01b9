"""Cross entropies and the largest elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.evaluating import assert_gradients, evaluate
from tests.core.ops.numeric import Array

RANDOM = np.random.RandomState(0)


def cross_entropy(logits: Array, labels: Array, axis: int = -1) -> Array:
    shifted = logits - logits.max(axis, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
    result: Array = -(labels * log_p).sum(axis)
    return result


def probabilities(*shape: int, axis: int = -1) -> Array:
    p = np.exp(RANDOM.standard_normal(shape))
    result: Array = p / p.sum(axis, keepdims=True)
    return result


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("known", [True, False])
def test_dense_labels(axis: int, known: bool) -> None:
    x, p = RANDOM.standard_normal((2, 3, 4)), probabilities(2, 3, 4, axis=axis)
    logits = tf.placeholder(tf.float64, x.shape if known else [None] * 3)
    loss = tf.nn.softmax_cross_entropy_with_logits_v2(labels=p, logits=logits, dim=axis)
    assert loss.shape.ndims == 2
    np.testing.assert_allclose(evaluate(loss, {logits: x}), cross_entropy(x, p, axis))


def test_gradients_reach_the_labels_only_in_the_second_version() -> None:
    x, p = RANDOM.standard_normal((2, 3)), probabilities(2, 3)
    first = tf.nn.softmax_cross_entropy_with_logits
    second = tf.nn.softmax_cross_entropy_with_logits_v2
    assert_gradients(lambda a, b: second(labels=b, logits=a), x, p)
    assert_gradients(lambda a: first(labels=p, logits=a), x)
    labels = tf.constant(p)
    assert tf.gradients(first(labels=labels, logits=x), labels) == [None]


@pytest.mark.parametrize("shape", [(4,), (2, 4), (2, 3, 4)])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_class_numbers(shape: tuple[int, ...], index: Any) -> None:
    x = RANDOM.standard_normal(shape)
    labels = RANDOM.randint(0, 4, shape[:-1]).astype(index)
    function = tf.nn.sparse_softmax_cross_entropy_with_logits
    expected = cross_entropy(x, np.eye(4)[labels])
    np.testing.assert_allclose(evaluate(function(labels=labels, logits=x)), expected)
    logits = tf.placeholder(tf.float64, [None] * len(shape))
    loss = function(labels=labels, logits=logits)
    np.testing.assert_allclose(evaluate(loss, {logits: x}), expected)
    assert_gradients(lambda a: function(labels=labels, logits=a), x)


def test_half_logits_are_computed_in_float32() -> None:
    x = np.array([[10.0, 10.25], [3.0, -200.0]], np.float16)
    for loss in (
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 0], logits=x),
        tf.nn.softmax_cross_entropy_with_logits(labels=[[1, 0], [1, 0]], logits=x),
    ):
        found = evaluate(loss)
        assert found.dtype == np.float16
        wide = cross_entropy(x.astype(float), np.array([[1, 0], [1, 0]]))
        np.testing.assert_array_equal(found, wide.astype(np.float16))


def test_arguments_must_be_named_and_fit() -> None:
    x = tf.ones([2, 3])
    for function in (
        tf.nn.softmax_cross_entropy_with_logits,
        tf.nn.sparse_softmax_cross_entropy_with_logits,
        tf.nn.sigmoid_cross_entropy_with_logits,
    ):
        with pytest.raises(ValueError, match=r"named arguments \(labels=..., logits=..., ...\)"):
            function(x, x)
        with pytest.raises(ValueError, match="Both labels and logits must be provided"):
            function(logits=x)
    sparse = tf.nn.sparse_softmax_cross_entropy_with_logits
    with pytest.raises(ValueError, match="Rank mismatch: Rank of labels .received 2. should equal"):
        sparse(labels=tf.ones([2, 3], tf.int32), logits=x)
    with pytest.raises(ValueError, match="Logits cannot be scalars"):
        sparse(labels=0, logits=1.0)
    with pytest.raises(ValueError, match="logits and labels must have the same shape"):
        tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones([3, 2]), logits=x)
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4"):
        tf.nn.softmax_cross_entropy_with_logits(labels=tf.ones([2, 4]), logits=x)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label value of 3"):
        evaluate(sparse(labels=[0, 3], logits=x))


@given(st.floats(-50, 50), st.floats(0, 1), st.floats(0.25, 4))
def test_independent_events(logit: float, label: float, weight: float) -> None:
    p = 1 / (1 + np.exp(-logit))
    by_one = np.log1p(np.exp(-abs(logit))) + max(-logit, 0)  # -log p, without cancellation
    by_zero = np.log1p(np.exp(-abs(logit))) + max(logit, 0)
    x, z = np.array([logit]), np.array([label])
    with tf.Graph().as_default():
        plain = tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x)
        weighted = tf.nn.weighted_cross_entropy_with_logits(z, x, weight)
        logits = tf.constant(x)
        slope = tf.gradients(
            tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=logits), logits
        )[0]
        found = evaluate([plain, weighted, slope])
    np.testing.assert_allclose(found[0], label * by_one + (1 - label) * by_zero, atol=1e-9)
    np.testing.assert_allclose(found[1], weight * label * by_one + (1 - label) * by_zero, atol=1e-9)
    np.testing.assert_allclose(found[2], p - label, atol=1e-9)


def test_poisson() -> None:
    x, k = np.array([0.5, -1.0, 2.0]), np.array([0.0, 1.0, 5.0])
    short = np.exp(x) - x * k
    np.testing.assert_allclose(evaluate(tf.nn.log_poisson_loss(k, x)), short)
    stirling = k[2] * np.log(k[2]) - k[2] + 0.5 * np.log(2 * np.pi * k[2])
    whole = evaluate(tf.nn.log_poisson_loss(k, x, compute_full_loss=True))
    np.testing.assert_allclose(whole, short + np.array([0, 0, stirling]))


# -- the largest elements ------------------------------------------------------------------------


@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=5, max_size=5), min_size=1, max_size=4),
    st.integers(0, 5),
)
def test_top_k(rows: list[list[int]], k: int) -> None:
    x = np.array(rows, np.int32)
    with tf.Graph().as_default():
        values, indices = evaluate(list(tf.nn.top_k(x, k)))
    order = np.argsort(-x, axis=-1, kind="stable")[:, :k]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_array_equal(values, np.take_along_axis(x, order, -1))


def test_top_k_gradient_and_shapes() -> None:
    x = RANDOM.permutation(12).reshape(2, 2, 3) / 4.0
    assert_gradients(lambda t: tf.nn.top_k(t, 2).values, x)
    k = tf.placeholder(tf.int32, [])
    found = tf.nn.top_k(tf.constant(x), k)
    assert found.values.shape.as_list() == [2, 2, None]
    assert evaluate(found.indices, {k: 1}).shape == (2, 2, 1)
    with pytest.raises(ValueError, match="must have last dimension >= k = 4 but is 3"):
        tf.nn.top_k(x, 4)
    with pytest.raises(ValueError, match="Need k >= 0, got -1"):
        tf.nn.top_k(x, -1)


def test_in_top_k() -> None:
    p = [[0.1, 0.7, 0.2], [0.4, 0.4, 0.2]]
    assert evaluate(tf.nn.in_top_k(p, [2, 1], 1)).tolist() == [False, True]
    assert evaluate(tf.nn.in_top_k(p, np.array([2, 2], np.int64), 2)).tolist() == [True, False]
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 3"):
        tf.nn.in_top_k(p, [0, 1, 2], 1)
