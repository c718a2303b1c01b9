"""Activations, softmax, biases, dropout and norms."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.evaluating import assert_gradients, evaluate

POINTS = np.array([[-2.0, -0.5, 0.25], [1.5, 3.0, 7.5]])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (tf.nn.relu, lambda x: np.maximum(x, 0)),
        (tf.nn.relu6, lambda x: np.clip(x, 0, 6)),
        (tf.nn.elu, lambda x: np.where(x > 0, x, np.expm1(x))),
        (tf.nn.softplus, lambda x: np.log1p(np.exp(x))),
        (tf.nn.softsign, lambda x: x / (1 + abs(x))),
        (tf.nn.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
        (tf.nn.tanh, np.tanh),
        (tf.nn.swish, lambda x: x / (1 + np.exp(-x))),
        (tf.nn.leaky_relu, lambda x: np.where(x > 0, x, 0.2 * x)),
        (tf.nn.crelu, lambda x: np.maximum(np.concatenate([x, -x], -1), 0)),
        (lambda x: tf.nn.crelu(x, axis=0), lambda x: np.maximum(np.concatenate([x, -x]), 0)),
    ],
)
def test_activations(function: Any, expected: Any) -> None:
    np.testing.assert_allclose(evaluate(function(tf.constant(POINTS))), expected(POINTS))
    assert_gradients(function, POINTS)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
@pytest.mark.parametrize("name", "relu elu selu softplus softsign softmax log_softmax".split())
def test_types_are_kept(name: str, dtype: Any) -> None:
    y = getattr(tf.nn, name)(tf.constant(POINTS.astype(dtype)))
    assert evaluate(y).dtype == dtype


def test_leaky_relu_of_integers_and_of_a_tensor() -> None:
    assert evaluate(tf.nn.leaky_relu([-2, 2], alpha=0.5)).tolist() == [-1.0, 2.0]
    slope = tf.placeholder(tf.float32, [])
    assert evaluate(tf.nn.leaky_relu([-2.0, 2.0], slope), {slope: 0.25}).tolist() == [-0.5, 2.0]


def test_names_are_tensorflows() -> None:
    assert tf.nn.relu([1.0]).op.name == "Relu"
    assert tf.nn.relu6([1.0]).op.name == "Relu6"
    assert tf.nn.relu([1.0], name="on").op.name == "on"
    assert tf.nn.dropout(tf.ones([2]), 0.5).op.name == "dropout/mul"
    assert tf.nn.xw_plus_b([[1.0]], [[1.0]], [1.0]).op.name == "xw_plus_b"


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("known", [True, False])
def test_softmax_along_any_axis(axis: int, known: bool) -> None:
    x = np.random.RandomState(0).standard_normal((2, 3, 4))
    exponentials = np.exp(x)
    expected = exponentials / exponentials.sum(axis, keepdims=True)
    given_shape = x.shape if known else None
    logits = tf.placeholder(tf.float64, given_shape)
    feeds = {logits: x}
    np.testing.assert_allclose(evaluate(tf.nn.softmax(logits, axis), feeds), expected)
    np.testing.assert_allclose(evaluate(tf.nn.softmax(logits, dim=axis), feeds), expected)
    np.testing.assert_allclose(
        evaluate(tf.nn.log_softmax(logits, axis=axis), feeds), np.log(expected), atol=1e-12
    )


@pytest.mark.parametrize("axis", [-2, 0, 1, 2])
def test_softmax_along_an_axis_that_a_run_tells(axis: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    chosen = tf.placeholder_with_default(axis, [])
    expected = np.exp(x) / np.exp(x).sum(axis, keepdims=True)
    assert tf.nn.softmax(x, chosen).shape.as_list() == [2, 3, 4]
    np.testing.assert_allclose(evaluate(tf.nn.softmax(x, chosen)), expected)
    # A constant is known already.
    assert tf.nn.softmax(x, tf.constant(2)).op.type == "Softmax"
    with pytest.raises(tf.errors.InvalidArgumentError):
        evaluate(tf.nn.log_softmax(x, axis=chosen), {chosen: 3})


def test_softmax_gradients_along_an_inner_axis() -> None:
    x = np.random.RandomState(0).standard_normal((2, 3, 2))
    assert_gradients(lambda t: tf.nn.softmax(t, 1), x)
    assert_gradients(lambda t: tf.nn.log_softmax(t, 0), x)


def test_softmax_of_an_axis_that_is_not_there() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="axis 2: logits have rank 2"):
        tf.nn.softmax([[1.0]], 2)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6))
def test_softmax_of_large_numbers(logits: list[float]) -> None:
    with tf.Graph().as_default():
        result = evaluate(tf.nn.softmax(tf.constant(logits, tf.float64)))
    assert np.all(np.isfinite(result)) and abs(result.sum() - 1) < 1e-12
    assert result.max() == result[np.argmax(logits)]


@pytest.mark.parametrize(
    ("shape", "data_format"),
    [((2, 3), None), ((2, 4, 5, 3), "NHWC"), ((2, 3, 4, 5), "NCHW"), ((2, 3, 4), "NCHW")],
)
def test_bias_add(shape: tuple[int, ...], data_format: str | None) -> None:
    random = np.random.RandomState(0)
    x, b = random.standard_normal(shape), random.standard_normal(3)
    axis = 1 if data_format == "NCHW" else len(shape) - 1
    column = b.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    y = tf.nn.bias_add(tf.constant(x), tf.constant(b), data_format)
    np.testing.assert_allclose(evaluate(y), x + column)
    assert_gradients(lambda p, q: tf.nn.bias_add(p, q, data_format), x, b)


def test_bias_errors() -> None:
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4"):
        tf.nn.bias_add(tf.ones([2, 3]), tf.ones([4]))
    with pytest.raises(ValueError, match="Shape must be rank 1 but is rank 2"):
        tf.nn.bias_add(tf.ones([2, 3]), tf.ones([3, 1]))
    with pytest.raises(ValueError, match="data_format"):
        tf.nn.bias_add(tf.ones([2, 3]), tf.ones([3]), "HWNC")
    x = tf.placeholder(tf.float32, ["batch", None])
    assert tf.nn.bias_add(x, tf.ones([3])).shape.entries == ("batch", 3)  # type: ignore[attr-defined]


def test_layers_of_one_product() -> None:
    x, w, b = np.array([[1.0, -2.0]]), np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([0.5, 1.0])
    assert evaluate(tf.nn.xw_plus_b(x, w, b)).tolist() == [[1.5, -2.0]]
    assert evaluate(tf.nn.relu_layer(x, w, b)).tolist() == [[1.5, 0.0]]
    assert_gradients(tf.nn.relu_layer, x, w, b)


def test_dropout_keeps_the_mean() -> None:
    x = tf.ones([200, 100])
    for keep in (0.1, 0.5, 0.9):
        y = evaluate(tf.nn.dropout(x, keep, seed=3))
        values = set(np.unique(y).tolist())
        assert values == {0.0, float(np.float32(1) / np.float32(keep))}
        assert abs(y.mean() - 1) < 0.1


def test_dropout_of_whole_rows() -> None:
    for noise in ([4, 1], [None, 1], tf.TensorShape([4, 1])):
        y = evaluate(tf.nn.dropout(tf.ones([4, 50]), 0.5, noise_shape=noise, seed=1))
        assert all(len(set(row)) == 1 for row in y.tolist())
    x = tf.placeholder(tf.float32, [None, 50])
    y = evaluate(tf.nn.dropout(x, 0.5, noise_shape=[None, 1], seed=1), {x: np.ones([4, 50])})
    assert all(len(set(row)) == 1 for row in y.tolist())


def test_dropout_that_drops_nothing() -> None:
    x = tf.ones([3])
    assert tf.nn.dropout(x, 1.0) is x
    assert tf.nn.dropout(x, rate=0.0) is x
    keep = tf.placeholder(tf.float32, [])
    y = tf.nn.dropout(x, keep)
    assert y.shape.as_list() == [3]
    assert evaluate(y, {keep: 1.0}).tolist() == [1, 1, 1]


@pytest.mark.parametrize("keep", [0.0, -0.5, 1.5])
def test_dropout_errors(keep: float) -> None:
    with pytest.raises(ValueError, match="range"):
        tf.nn.dropout(tf.ones([2]), keep)
    with pytest.raises(ValueError, match="floating point"):
        tf.nn.dropout(tf.ones([2], tf.int32), 0.5)
    with pytest.raises(ValueError):
        tf.nn.dropout(tf.ones([2]), [0.5, 0.5])


def test_norms() -> None:
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(
        evaluate(tf.nn.l2_normalize(tf.constant(x), 1)), [[0.6, 0.8], [0, 0]]
    )
    np.testing.assert_allclose(
        evaluate(tf.nn.l2_normalize(tf.constant(x), dim=[0, 1])), x / 5, atol=1e-12
    )
    assert_gradients(lambda t: tf.nn.l2_normalize(t, 0), np.array([[1.0, 2.0], [3.0, -1.0]]))
    assert evaluate(tf.nn.l2_loss(tf.constant(x))) == 12.5
    assert evaluate(tf.nn.zero_fraction([[0, 1], [2, 0]])) == 0.5
