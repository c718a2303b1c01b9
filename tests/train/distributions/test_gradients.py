"""Gradients through samples and of likelihoods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.numeric import derivative
from tests.train.distributions.kinds import (
    d,
)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda a, b: d.Normal(a, b), 2),
        (lambda a, b: d.Laplace(a, b), 2),
        (lambda a, b: d.Uniform(a, a + b), 2),
        (lambda a, b: d.Exponential(b), 1),
    ],
)
def test_gradients_flow_through_samples(
    session: Any, make: Callable[[Any, Any], Any], count: int
) -> None:
    a, b = tf.placeholder(tf.float64, []), tf.placeholder(tf.float64, [])
    distribution = make(a, b)
    assert distribution.reparameterization_type is d.FULLY_REPARAMETERIZED
    parameters = [a, b][-count:]
    gradients = tf.gradients(distribution.sample([100], seed=1), parameters)
    assert all(g is not None for g in gradients)
    # Each sample is a linear function of the location, and in the scale of a ratio.
    sample, (*_, by_b) = session.run(
        [distribution.sample([100], seed=1), gradients], {a: 0.5, b: 2.0}
    )
    want = {
        "Exponential": -sample.sum() / 2.0,
    }.get(type(distribution).__name__, (sample - 0.5).sum() / 2.0)
    assert by_b == pytest.approx(want, rel=1e-6)


def test_no_gradients_through_other_samples() -> None:
    logits = tf.constant([0.0])
    coin = d.Bernoulli(logits=logits, dtype=tf.float32)
    assert coin.reparameterization_type is d.NOT_REPARAMETERIZED
    assert tf.gradients(coin.sample(), logits) == [None]
    assert repr(coin.reparameterization_type) == "<Reparameterization Type: NOT_REPARAMETERIZED>"


def test_gradients_of_likelihoods(session: Any) -> None:
    for make in (
        lambda x: d.Normal(x, x * x),
        lambda x: d.Gamma(x, x + 1),
        lambda x: d.StudentT(x + 2, x, x),
        lambda x: d.Beta(x, x + 1),
    ):
        x = tf.placeholder(tf.float64, [])
        likelihood = make(x).log_prob(np.array(0.4))
        slope = derivative(lambda v, f=likelihood, p=x: session.run(f, {p: v}), np.array(1.3))
        assert session.run(tf.gradients(likelihood, x)[0], {x: 1.3}) == pytest.approx(slope, 1e-5)
