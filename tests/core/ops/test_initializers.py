"""Initializers: shapes, dtypes, statistics against closed forms, and configurations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.ops.scaled_initializers import fans

pytestmark = pytest.mark.usefixtures("graph")


#: The standard deviation of a standard normal distribution cut off at two.
CUT = 0.87962566103423978

ALL = [
    "zeros",
    "ones",
    "constant",
    "random_uniform",
    "random_normal",
    "truncated_normal",
    "uniform_unit_scaling",
    "variance_scaling",
    "orthogonal",
    "identity",
]


def values(initializer: Any, shape: Any, **arguments: Any) -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(initializer(shape, **arguments))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_shape_and_dtype(name: str, dtype: Any) -> None:
    kind = getattr(tf.initializers, name)
    for found in (values(kind(dtype=dtype), [4, 3]), values(kind(), [4, 3], dtype=dtype)):
        assert found.shape == (4, 3)
        assert found.dtype == dtype.as_numpy_dtype


@pytest.mark.parametrize("name", ALL)
def test_configuration_makes_an_equal_one(name: str) -> None:
    kind = getattr(tf.initializers, name)
    first = (
        kind(dtype=tf.float64)
        if name in ("zeros", "ones", "constant", "identity")
        else kind(seed=3, dtype=tf.float64)
    )
    config = first.get_config()
    assert config["dtype"] == "float64"
    second = kind.from_config(config)
    assert second.get_config() == config
    np.testing.assert_array_equal(values(first, [3, 3]), values(second, [3, 3]))


@pytest.mark.parametrize("name", ALL[:-1])
def test_public_names(name: str) -> None:
    assert getattr(tf, f"{name}_initializer") is getattr(tf.initializers, name)


def test_initializers_of_variables_are_in_the_namespace() -> None:
    assert tf.initializers.global_variables is tf.global_variables_initializer
    assert tf.initializers.local_variables is tf.local_variables_initializer
    assert tf.initializers.variables is tf.variables_initializer


# Constants ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("initializer", "shape", "expected"),
    [
        (tf.zeros_initializer(), [2], [0, 0]),
        (tf.ones_initializer(tf.int32), (2,), [1, 1]),
        (tf.constant_initializer(0.3), [1, 1], [[0.3]]),
        (tf.constant_initializer([0, 1, 2, 3]), [2, 2], [[0, 1], [2, 3]]),
        (tf.constant_initializer([0, 1]), [2, 2], [[0, 1], [1, 1]]),
        (tf.constant_initializer(np.arange(4).reshape(4, 1)), [2, 2], [[0, 1], [2, 3]]),
        (tf.initializers.identity(gain=2.0), [2, 3], [[2, 0, 0], [0, 2, 0]]),
    ],
)
def test_constants(initializer: Any, shape: Any, expected: Any) -> None:
    np.testing.assert_array_equal(values(initializer, shape), np.array(expected, np.float32))


def test_constants_keep_to_the_shape() -> None:
    with pytest.raises(ValueError, match="Too many elements"):
        tf.constant_initializer([1, 2, 3])([2])
    with pytest.raises(TypeError, match="shape"):
        tf.constant_initializer([1, 2, 3, 4], verify_shape=True)([2, 2])
    with pytest.raises(TypeError, match="initial value"):
        tf.constant_initializer({})


# Random values ------------------------------------------------------------------------------------

COUNT = 40_000


def near(found: Any, mean: float, deviation: float) -> None:
    """Mean and deviation within five of their own standard deviations."""
    flat = np.asarray(found, np.float64).ravel()
    error = 5 * deviation / math.sqrt(flat.size)
    assert abs(flat.mean() - mean) < error
    assert abs(flat.std() - deviation) < error


@pytest.mark.parametrize(
    ("initializer", "shape", "mean", "deviation", "largest"),
    [
        (tf.random_uniform_initializer(seed=1), [COUNT], 0.5, 1 / math.sqrt(12), 1.0),
        (tf.random_uniform_initializer(-3, 1, seed=1), [COUNT], -1.0, 4 / math.sqrt(12), 3.0),
        (tf.random_normal_initializer(2.0, 3.0, seed=1), [COUNT], 2.0, 3.0, None),
        (tf.truncated_normal_initializer(1.0, 2.0, seed=1), [COUNT], 1.0, 2 * CUT, 5.0),
        (
            tf.uniform_unit_scaling_initializer(2.0, seed=1),
            [100, 400],
            0.0,
            2 / math.sqrt(100),
            2 * math.sqrt(3 / 100),
        ),
        (
            tf.uniform_unit_scaling_initializer(seed=1),
            [5, 20, 400],
            0.0,
            1 / math.sqrt(100),
            math.sqrt(3 / 100),
        ),
        (
            tf.glorot_uniform_initializer(seed=1),
            [100, 400],
            0.0,
            math.sqrt(2 / 500),
            math.sqrt(6 / 500),
        ),
        (
            tf.glorot_normal_initializer(seed=1),
            [100, 400],
            0.0,
            CUT * math.sqrt(2 / 500),
            2 * math.sqrt(2 / 500),
        ),
        (
            tf.variance_scaling_initializer(2.0, "fan_in", "uniform", seed=1),
            [3, 3, 20, 200],
            0.0,
            math.sqrt(2 / 180),
            math.sqrt(6 / 180),
        ),
        (
            tf.variance_scaling_initializer(2.0, "fan_out", "uniform", seed=1),
            [3, 3, 200, 20],
            0.0,
            math.sqrt(2 / 180),
            math.sqrt(6 / 180),
        ),
        (
            tf.initializers.he_uniform(seed=1),
            [100, 400],
            0.0,
            math.sqrt(2 / 100),
            math.sqrt(6 / 100),
        ),
        (
            tf.initializers.lecun_uniform(seed=1),
            [100, 400],
            0.0,
            math.sqrt(1 / 100),
            math.sqrt(3 / 100),
        ),
        (
            tf.initializers.he_normal(seed=1),
            [100, 400],
            0.0,
            CUT * math.sqrt(2 / 100),
            2 * math.sqrt(2 / 100),
        ),
        (
            tf.initializers.lecun_normal(seed=1),
            [100, 400],
            0.0,
            CUT * math.sqrt(1 / 100),
            2 * math.sqrt(1 / 100),
        ),
    ],
)
def test_statistics(
    initializer: Any, shape: Any, mean: float, deviation: float, largest: float | None
) -> None:
    found = values(initializer, shape)
    near(found, mean, deviation)
    if largest is not None:
        assert np.abs(found).max() <= largest * (1 + 1e-6)
        assert np.abs(found).max() > largest * 0.9


def test_integers_need_an_upper_limit() -> None:
    found = values(tf.random_uniform_initializer(3, 7, seed=1, dtype=tf.int32), [500])
    assert sorted(set(found.tolist())) == [3, 4, 5, 6]
    with pytest.raises(ValueError, match="maxval"):
        tf.random_uniform_initializer(dtype=tf.int32)([2])


@pytest.mark.parametrize("name", [n for n in ALL if "random" in n or "scaling" in n])
def test_seeds(name: str) -> None:
    kind = getattr(tf.initializers, name)
    first = values(kind(seed=1), [20])
    np.testing.assert_array_equal(first, values(kind(seed=1), [20]))
    assert not np.array_equal(first, values(kind(seed=2), [20]))
    tf.set_random_seed(5)
    unseeded = kind()
    with tf.Session() as session:
        one, other = session.run([unseeded([20]), unseeded([20])])
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("shape", [(8, 8), (8, 3), (3, 8), (2, 3, 4), (3, 2, 2, 7)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tf.float32, 1e-5), (tf.float64, 1e-12)])
def test_orthogonal(shape: Any, dtype: Any, tolerance: float) -> None:
    found = values(tf.orthogonal_initializer(gain=3.0, seed=1, dtype=dtype), shape)
    matrix = found.reshape(-1, shape[-1]) / 3.0
    rows, columns = matrix.shape
    product = matrix.T @ matrix if rows > columns else matrix @ matrix.T
    np.testing.assert_allclose(product, np.eye(min(rows, columns)), atol=tolerance)


def test_orthogonal_matrices_point_everywhere() -> None:
    """All directions are equally likely: the mean of the first element is 0, its square 1 / n."""
    kind = tf.orthogonal_initializer()
    tf.set_random_seed(3)
    with tf.Session() as session:
        matrix = kind([2, 2])
        firsts = np.array([session.run(matrix)[0, 0] for _ in range(400)])
    assert abs(firsts.mean()) < 5 * math.sqrt(0.5 / 400)
    assert abs((firsts**2).mean() - 0.5) < 5 * 0.36 / math.sqrt(400)


# Parts and errors ---------------------------------------------------------------------------------


def test_scale_counts_the_whole_variable() -> None:
    thirds = tf.fixed_size_partitioner(4)
    w = tf.get_variable(
        "w", [400, 100], initializer=tf.initializers.lecun_uniform(seed=1), partitioner=thirds
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        found = session.run(w.as_tensor())
    assert np.abs(found).max() <= math.sqrt(3 / 400)
    assert np.abs(found).max() > math.sqrt(3 / 400) * 0.99


def test_identity_of_parts() -> None:
    w = tf.get_variable(
        "w",
        [5, 5],
        initializer=tf.initializers.identity(),
        partitioner=tf.fixed_size_partitioner(2),
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(w.as_tensor()), np.eye(5))


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.random_normal_initializer(dtype=tf.string),
        lambda: tf.truncated_normal_initializer(dtype=tf.int32),
        lambda: tf.uniform_unit_scaling_initializer(dtype=tf.string),
        lambda: tf.orthogonal_initializer(dtype=tf.int32),
        lambda: tf.initializers.identity(dtype=tf.int32),
        lambda: tf.variance_scaling_initializer(0.0),
        lambda: tf.variance_scaling_initializer(mode="fan"),
        lambda: tf.variance_scaling_initializer(distribution="flat"),
        lambda: tf.orthogonal_initializer()([5]),
        lambda: tf.initializers.identity()([2, 2, 2]),
    ],
)
def test_refused(make: Any) -> None:
    with pytest.raises(ValueError):
        make()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [([], (1, 1)), ([7], (7, 7)), ([3, 5], (3, 5)), ([2, 3, 4, 5], (24, 30))],
)
def test_fans(shape: list[int], expected: tuple[int, int]) -> None:
    assert fans(shape) == expected


def test_empty_shapes() -> None:
    assert values(tf.uniform_unit_scaling_initializer(), [0, 2]).shape == (0, 2)
    assert values(tf.glorot_uniform_initializer(), [0, 0]).shape == (0, 0)
