"""Random operations: reproducible, independent, of the right shape, type and distribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf

MAKERS: dict[str, Callable[..., Any]] = {
    "normal": lambda **k: tf.random_normal([40], **k),
    "uniform": lambda **k: tf.random_uniform([40], **k),
    "integers": lambda **k: tf.random_uniform([40], 0, 1000, tf.int32, **k),
    "truncated": lambda **k: tf.truncated_normal([40], **k),
    "gamma": lambda **k: tf.random_gamma([40], 2.0, **k),
    "poisson": lambda **k: tf.random_poisson(90.0, [40], **k),
    "shuffle": lambda **k: tf.random_shuffle(tf.range(40), **k),
    "multinomial": lambda **k: tf.multinomial(tf.zeros([2, 900]), 40, **k),
    "crop": lambda **k: tf.random_crop(tf.range(1000), [3], **k),
}


def _two_runs_of_two_sessions(make: Callable[[], Any]) -> list[list[Any]]:
    with tf.Graph().as_default():
        tensor = make()
        found = []
        for _ in range(2):
            with tf.Session() as session:
                found.append([session.run(tensor), session.run(tensor)])
    return found


@pytest.mark.parametrize("name", list(MAKERS))
def test_seeds(name: str) -> None:
    seeded = _two_runs_of_two_sessions(lambda: MAKERS[name](seed=5))
    for a, b in zip(*seeded, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (seeded[0][0] != seeded[0][1]).any(), "two steps drew the same"
    again = _two_runs_of_two_sessions(lambda: MAKERS[name](seed=5))
    np.testing.assert_array_equal(again[0][1], seeded[0][1])
    free = _two_runs_of_two_sessions(MAKERS[name])
    assert (free[0][0] != free[1][0]).any(), "two sessions without seeds drew the same"


def test_graph_seed() -> None:
    def make() -> Any:
        tf.set_random_seed(3)
        return tf.stack([tf.random_normal([5]), tf.random_normal([5])])

    first, second = _two_runs_of_two_sessions(make), _two_runs_of_two_sessions(make)
    np.testing.assert_array_equal(first, second)
    assert (first[0][0][0] != first[0][0][1]).all(), "two operations drew the same"


def test_shapes_and_types() -> None:
    with tf.Graph().as_default():
        sizes = tf.placeholder(tf.int32, [2])
        rows = tf.placeholder(tf.float32, ["batch", 7])
        made = {
            "scalar": (tf.random_normal([]), []),
            "sizes": (tf.truncated_normal(sizes), [None, None]),
            "tuple": (tf.random_uniform((2, tf.Dimension(3)), dtype=tf.float64), [2, 3]),
            "gamma": (tf.random_gamma([4], [[1.0], [2.0]], [1.0, 2.0, 3.0]), [4, 2, 3]),
            "poisson": (tf.random_poisson([1.0, 2.0], [3], dtype=tf.int32), [3, 2]),
            "multinomial": (tf.multinomial(rows, 5), [None, 5]),
            "half": (tf.random_normal([3], dtype=tf.float16), [3]),
            "crop": (tf.random_crop(tf.zeros([9, 9, 3]), [4, 5, 3]), [4, 5, 3]),
        }
        assert tf.multinomial(rows, 5).entries == ("batch", 5)
        for name, (tensor, shape) in made.items():
            assert tensor.shape.as_list() == shape, name
        feeds = {sizes: [2, 4], rows: np.zeros((6, 7))}
        with tf.Session() as session:
            found = session.run({k: t for k, (t, _) in made.items()}, feeds)
    assert found["sizes"].shape == (2, 4) and found["multinomial"].shape == (6, 5)
    assert [found[k].dtype.name for k in ("tuple", "poisson", "half", "multinomial")] == [
        "float64", "int32", "float16", "int64",
    ]  # fmt: skip


def test_distributions() -> None:
    count = 40_000
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        logits = tf.log([[0.5, 0.3, 0.2]])
        normal, cut, uniform, dice, gamma, poisson, classes = session.run(
            [
                tf.random_normal([count], 3.0, 2.0),
                tf.truncated_normal([count], 3.0, 2.0),
                tf.random_uniform([count], -1.0, 3.0),
                tf.random_uniform([count], 1, 7, tf.int64),
                tf.random_gamma([count], 2.0, beta=4.0),
                tf.random_poisson(3.5, [count]),
                tf.multinomial(logits, count),
            ]
        )
    assert normal.mean() == pytest.approx(3, abs=0.05) and normal.std() == pytest.approx(
        2, abs=0.04
    )
    assert cut.min() > -1 and cut.max() < 7 and cut.std() == pytest.approx(0.8796 * 2, abs=0.04)
    assert (
        uniform.min() >= -1 and uniform.max() < 3 and uniform.mean() == pytest.approx(1, abs=0.03)
    )
    assert np.bincount(dice, minlength=7)[1:] == pytest.approx([count / 6] * 6, rel=0.06)
    assert gamma.mean() == pytest.approx(0.5, abs=0.01) and gamma.var() == pytest.approx(
        1 / 8, abs=0.01
    )
    assert poisson.mean() == pytest.approx(3.5, abs=0.05)
    assert np.bincount(classes[0]) / count == pytest.approx([0.5, 0.3, 0.2], abs=0.01)


def test_shuffles_rows_and_crops_pieces() -> None:
    rows = np.arange(30).reshape(10, 3)
    with tf.Graph().as_default(), tf.Session() as session:
        shuffled, piece = session.run([tf.random_shuffle(rows), tf.random_crop(rows, [4, 2])])
        assert sorted(shuffled[:, 0]) == list(range(0, 30, 3))
        assert (shuffled - shuffled[:, :1] == [0, 1, 2]).all()
        assert (piece - piece[:1, :1] == np.arange(0, 12, 3)[:, None] + [0, 1]).all()


def test_names_and_errors() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        assert tf.random_normal([2]).op.name == "random_normal"
        assert tf.random_normal([2], name="noise").op.inputs[0].op.name == "noise/mul"
        with pytest.raises(ValueError, match="Must specify maxval for integer dtype"):
            tf.random_uniform([2], dtype=tf.int32)
        with pytest.raises(ValueError, match="must be rank 1 but is rank 0"):
            tf.random_normal(tf.constant(3))
        with pytest.raises(tf.errors.InvalidArgumentError, match="-1"):
            session.run(tf.random_normal([-1]))
        with pytest.raises(tf.errors.InvalidArgumentError, match="num_classes should be positive"):
            session.run(tf.multinomial(tf.zeros([2, 0]), 1))
        with pytest.raises(tf.errors.InvalidArgumentError, match="Need value.shape >= size"):
            session.run(tf.random_crop(tf.zeros([3, 3]), [2, 4]))


def test_parameterized_truncated_normal() -> None:
    from workbench.core.ops.random import parameterized_truncated_normal

    with tf.Graph().as_default(), tf.Session() as session:
        x = session.run(
            parameterized_truncated_normal([2, 500], [0.0, 5.0], 1.0, [-1.0, 4.5], [1.0, 9.0])
        )
    assert np.abs(x[0]).max() <= 1 and x[1].min() >= 4.5 and x[1].max() <= 9


def test_limits_of_integers_are_scalars() -> None:
    with pytest.raises(ValueError, match="Shape must be rank 0 but is rank 1 for minval"):
        tf.random_uniform([10], minval=[1, 2], maxval=3, dtype=tf.int32)
