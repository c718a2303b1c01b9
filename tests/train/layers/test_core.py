"""Fully connected layers, dropout and flattening, against NumPy."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def evaluated(value: Any, feeds: Any = None) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(value, feeds)


# Dense --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5), (2, 1, 3, 5)])
@pytest.mark.parametrize("use_bias", [True, False])
def test_dense(shape: tuple[int, ...], use_bias: bool) -> None:
    value = RNG.standard_normal(shape)
    layer = tf.layers.Dense(
        3,
        activation=tf.tanh,
        use_bias=use_bias,
        kernel_initializer=tf.random_normal_initializer(seed=1),
        bias_initializer=tf.random_normal_initializer(seed=2),
    )
    y = layer(tf.constant(value))
    assert y.shape.as_list() == [*shape[:-1], 3]
    result, weights = evaluated([y, layer.weights])
    bias = weights[1] if use_bias else 0.0
    np.testing.assert_allclose(result, np.tanh(value @ weights[0] + bias), atol=1e-12)


def test_dense_of_unknown_sizes() -> None:
    a = tf.placeholder(tf.float32, [None, None, 3])
    y = tf.layers.dense(a, 2, kernel_initializer=tf.ones_initializer())
    assert y.shape.as_list() == [None, None, 2]
    assert evaluated(y, {a: np.ones([2, 4, 3])}).tolist() == np.full([2, 4, 2], 3.0).tolist()


def test_dense_passes_its_arguments_on() -> None:
    def clip(value: Any) -> Any:
        return value

    layer = tf.layers.Dense(
        2,
        kernel_initializer=tf.constant_initializer(2.0),
        bias_initializer=tf.constant_initializer(1.0),
        kernel_regularizer=tf.reduce_sum,
        bias_regularizer=tf.reduce_max,
        kernel_constraint=clip,
        bias_constraint=clip,
    )
    y = layer(tf.ones([1, 3]))
    assert layer.kernel.constraint is clip is layer.bias.constraint
    assert evaluated([y, *layer.losses])[0].tolist() == [[7.0, 7.0]]
    assert evaluated(layer.losses) == [12.0, 1.0]


def test_initializer_of_the_scope() -> None:
    with tf.variable_scope("s", initializer=tf.constant_initializer(5.0)):
        layer = tf.layers.Dense(2)
        layer(tf.ones([1, 1]))
    kernel, bias = evaluated(layer.weights)
    assert (kernel.tolist(), bias.tolist()) == ([[5.0, 5.0]], [0.0, 0.0])


@pytest.mark.parametrize("shape", [None, [None], [None, None], [2, 3, None]])
def test_dense_needs_a_known_last_size(shape: Any) -> None:
    with pytest.raises(ValueError):
        tf.layers.Dense(2)(tf.placeholder(tf.float32, shape))


def test_dense_output_shape() -> None:
    layer = tf.layers.Dense(2)
    assert layer.compute_output_shape([None, 4, 3]).as_list() == [None, 4, 2]
    for shape in (None, [], [1], [3, None]):
        with pytest.raises(ValueError):
            layer.compute_output_shape(tf.TensorShape(shape))


def test_functions_share_by_name() -> None:
    a = tf.ones([1, 3])
    first = tf.layers.dense(a, 2, name="d")
    second = tf.layers.dense(a, 2, name="d", reuse=True)
    with tf.variable_scope("", reuse=tf.AUTO_REUSE):
        tf.layers.dense(a, 2, name="d")
    assert len(tf.global_variables()) == 2
    one, other = evaluated([first, second])
    assert one.tolist() == other.tolist()
    with pytest.raises(ValueError, match="Variable d/kernel already exists"):
        tf.layers.dense(a, 2, name="d")


def test_functions_have_signatures() -> None:
    parameters = list(inspect.signature(tf.layers.dense).parameters)
    assert parameters[:4] == ["inputs", "units", "activation", "use_bias"]
    assert parameters[-3:] == ["trainable", "name", "reuse"]
    assert "reuse" not in inspect.signature(tf.layers.max_pooling2d).parameters
    assert tf.layers.dense.__name__ == "dense"
    with pytest.raises(TypeError, match=r"tf.layers.dense\(\): missing a required argument: 'uni"):
        tf.layers.dense(tf.ones([1, 3]))
    with pytest.raises(TypeError, match="unexpected keyword argument 'unit'"):
        tf.layers.dense(tf.ones([1, 3]), 2, unit=3)


# Dropout ------------------------------------------------------------------------------------------


def check_dropped(result: Any, rate: float) -> None:
    """Zeros and scaled ones, about as many as expected."""
    np.testing.assert_allclose(np.unique(result), [0.0, 1 / (1 - rate)], rtol=1e-6)
    count = result.size
    error = 5 * np.sqrt(count * rate * (1 - rate))
    assert abs((result == 0).sum() - count * rate) < error


@pytest.mark.parametrize("training", [True, 1, np.True_])
def test_dropout_in_training(training: Any) -> None:
    y = tf.layers.dropout(tf.ones([1000]), 0.3, training=training, seed=1)
    check_dropped(evaluated(y), 0.3)


@pytest.mark.parametrize("training", [False, 0, None])
def test_dropout_outside_of_training(training: Any) -> None:
    y = tf.layers.dropout(tf.ones([10]), 0.3, training=training)
    assert y.op.type == "Identity"
    assert evaluated(y).tolist() == [1.0] * 10


def test_dropout_by_a_tensor() -> None:
    training = tf.placeholder(tf.bool)
    a = tf.constant(np.r_[np.ones(1000), np.nan, np.inf], tf.float32)
    y = tf.layers.Dropout(0.3, seed=1)(a, training=training)
    (gradient,) = tf.gradients(y, a)
    result, grad = evaluated([y, gradient], {training: True})
    check_dropped(result[:1000], 0.3)
    np.testing.assert_array_equal(grad[:1000], result[:1000])
    result, grad = evaluated([y, gradient], {training: False})
    np.testing.assert_array_equal(result, np.r_[np.ones(1000), np.nan, np.inf])
    np.testing.assert_array_equal(grad, np.ones(1002))


def test_known_tensors_decide_while_building() -> None:
    y = tf.layers.dropout(tf.ones([10]), 0.3, training=tf.constant(False))
    assert y.op.type == "Identity"


def test_dropout_of_a_rate_that_is_fed() -> None:
    rate = tf.placeholder(tf.float32)
    y = tf.layers.Dropout(rate, seed=1)(tf.ones([1000]), training=True)
    check_dropped(evaluated(y, {rate: 0.5}), 0.5)
    assert evaluated(y, {rate: 0.0}).tolist() == [1.0] * 1000


def test_noise_shape() -> None:
    layer = tf.layers.Dropout(0.5, noise_shape=[20, 1, 3], seed=1)
    result = evaluated(layer(tf.ones([20, 4, 3]), training=True))
    np.testing.assert_array_equal(result, np.broadcast_to(result[:, :1], result.shape))
    check_dropped(result[:, 0], 0.5)


def test_training_must_be_a_truth() -> None:
    with pytest.raises(TypeError, match="`training` must be a bool or a boolean tensor"):
        tf.layers.dropout(tf.ones([1]), training="yes")


# Flatten ------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(0, 4), min_size=2, max_size=4),
    unknown=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_flatten(shape: list[int], unknown: list[bool]) -> None:
    known = [None if u else s for s, u in zip(shape, unknown, strict=False)]
    with tf.Graph().as_default():
        a = tf.placeholder(tf.float32, known)
        y = tf.layers.flatten(a)
        rest = known[1:]
        count = None if None in rest else int(np.prod([s for s in rest if s is not None]))
        assert y.shape.as_list() == [known[0], count]
        value = RNG.random(shape).astype(np.float32)
        expected = value.reshape(shape[0], int(np.prod(shape[1:])))
        np.testing.assert_array_equal(evaluated(y, {a: value}), expected)


def test_flatten_needs_two_axes() -> None:
    with pytest.raises(ValueError, match="expected min_ndim=2"):
        tf.layers.flatten(tf.placeholder(tf.float32, [None]))


def test_flatten_keeps_symbolic_sizes() -> None:
    y = tf.layers.flatten(tf.placeholder(tf.float32, ["batch", 2, 3]))
    assert y.shape[0].symbol == "batch"
