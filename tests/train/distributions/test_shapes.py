"""Batches of distributions, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.distributions.kinds import (
    d,
)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


BATCHES: list[tuple[Callable[[], Any], list[int], list[int]]] = [
    (lambda: d.Normal([[0.0], [1.0]], [1.0, 2.0, 3.0]), [2, 3], []),
    (lambda: d.Laplace(0.0, [1.0, 2.0]), [2], []),
    (lambda: d.Uniform([0.0, 1.0], 5.0), [2], []),
    (lambda: d.Exponential([1.0, 2.0]), [2], []),
    (lambda: d.Gamma([[1.0], [2.0]], [1.0, 2.0]), [2, 2], []),
    (lambda: d.Beta([1.0, 2.0], 3.0), [2], []),
    (lambda: d.StudentT([3.0, 4.0], [[0.0], [1.0]], 1.0), [2, 2], []),
    (lambda: d.Bernoulli(logits=[0.0, 1.0]), [2], []),
    (lambda: d.Categorical(logits=[[0.0, 1.0, 2.0]] * 2), [2], []),
    (lambda: d.Dirichlet([[1.0, 2.0, 3.0]] * 2), [2], [3]),
    (lambda: d.Multinomial(4.0, logits=[[0.0, 1.0, 2.0]] * 2), [2], [3]),
    (lambda: d.DirichletMultinomial(4.0, [[1.0, 2.0, 3.0]] * 2), [2], [3]),
]


@pytest.mark.parametrize(("make", "batch", "event"), BATCHES)
def test_batches(session: Any, make: Callable[[], Any], batch: Any, event: Any) -> None:
    distribution = make()
    assert distribution.batch_shape.as_list() == batch
    assert distribution.event_shape.as_list() == event
    sample = distribution.sample([5, 4])
    assert sample.shape.as_list() == [5, 4, *batch, *event]
    tensors = [distribution.batch_shape_tensor(), distribution.event_shape_tensor()]
    scalars = [distribution.is_scalar_batch(), distribution.is_scalar_event()]
    found = session.run([*tensors, *scalars, tf.shape(distribution.log_prob(sample))])
    assert [f.tolist() for f in found] == [batch, event, not batch, not event, [5, 4, *batch]]
    single = distribution.sample()
    assert single.shape.as_list() == [*batch, *event]
    assert session.run(single).shape == (*batch, *event)


def test_rows_have_their_own_numbers_of_draws(session: Any) -> None:
    for distribution in (
        d.Multinomial([3.0, 7.0], probs=[0.5, 0.25, 0.25]),
        d.DirichletMultinomial([3.0, 7.0], [1.0, 2.0, 3.0]),
    ):
        assert distribution.batch_shape.as_list() == [2]
        sample, mean = session.run([distribution.sample(9), distribution.mean()])
        assert (sample.sum(axis=-1) == [3.0, 7.0]).all()
        np.testing.assert_allclose(mean.sum(axis=-1), [3.0, 7.0], rtol=1e-6)


def test_shapes_that_are_known_in_a_run(session: Any) -> None:
    loc = tf.placeholder(tf.float32)
    normal = d.Normal(loc, [1.0, 2.0])
    assert normal.batch_shape.ndims is None
    fetches = [normal.batch_shape_tensor(), tf.shape(normal.sample(3)), normal.mean()]
    found = session.run(fetches, {loc: [[1.0], [2.0]]})
    assert [f.tolist() for f in found] == [[2, 2], [3, 2, 2], [[1.0, 1.0], [2.0, 2.0]]]


def test_statistics_that_are_not_defined(session: Any) -> None:
    for make, statistic in (
        (lambda nan: d.Gamma([0.5, 2.0], 1.0, allow_nan_stats=nan), "mode"),
        (lambda nan: d.Beta([0.5, 2.0], 2.0, allow_nan_stats=nan), "mode"),
        (lambda nan: d.StudentT([0.5, 2.0], 1.0, 1.0, allow_nan_stats=nan), "mean"),
    ):
        found = session.run(getattr(make(True), statistic)())
        assert np.isnan(found).tolist() == [True, False]
        with pytest.raises(tf.errors.InvalidArgumentError, match="defined"):
            session.run(getattr(make(False), statistic)())
    variance = d.StudentT([0.5, 1.5, 4.0], 0.0, 1.0).variance()
    np.testing.assert_array_equal(session.run(variance), [np.nan, np.inf, 2.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: d.Normal(0.0, -1.0, validate_args=True).mean(),
        lambda: d.Gamma(-1.0, 1.0, validate_args=True).mean(),
        lambda: d.Gamma(1.0, 1.0, validate_args=True).log_prob(-1.0),
        lambda: d.Beta(1.0, 1.0, validate_args=True).log_prob(2.0),
        lambda: d.Uniform(1.0, 0.0, validate_args=True).mean(),
        lambda: d.Bernoulli(probs=1.5, validate_args=True).mean(),
        lambda: d.Categorical(probs=[0.5, 0.6], validate_args=True).entropy(),
        lambda: d.Multinomial(3.0, probs=[0.5, 0.5], validate_args=True).log_prob([1.0, 1.0]),
    ],
)
def test_what_is_checked(session: Any, make: Callable[[], Any]) -> None:
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        session.run(make())


def test_arguments() -> None:
    for kind in (d.Bernoulli, d.Categorical):
        with pytest.raises(ValueError, match="Must pass probs or logits, but not both"):
            kind()
        with pytest.raises(ValueError, match="Must pass probs or logits, but not both"):
            kind(logits=[0.0], probs=[1.0])
    assert list(d.Normal.param_static_shapes([2, 3]).items()) == [
        ("loc", tf.TensorShape([2, 3])),
        ("scale", tf.TensorShape([2, 3])),
    ]
    with pytest.raises(NotImplementedError, match="param_shapes is not implemented"):
        d.Dirichlet.param_shapes([2])
    with pytest.raises(TypeError, match="loc must be of a floating type, got int32"):
        d.Normal(tf.constant(0), 1)
    with tf.Session() as session:
        shapes = session.run(d.Normal.param_shapes([2, 3]))
    assert {k: v.tolist() for k, v in shapes.items()} == {"loc": [2, 3], "scale": [2, 3]}
    normal = d.Normal(0.0, 1.0, name="mine")
    assert normal.name == "mine"
    assert normal.parameters["loc"] == 0.0
    moved = normal.copy(loc=3.0)
    assert (moved.parameters["loc"], moved.parameters["scale"]) == (3.0, 1.0)
    assert "batch_shape=()" in repr(normal) and "Normal" in str(normal)
    assert normal.sample().op.name.startswith("mine/sample")
    assert d.Exponential(2.0).copy().parameters["rate"] == 2.0
