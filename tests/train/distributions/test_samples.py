"""Samples as programs draw them that reach for what `sample` calls."""

from __future__ import annotations

import pytest

import workbench as tf

d = tf.distributions
MAKERS = {
    "Bernoulli": lambda: d.Bernoulli(probs=[0.5]),
    "Beta": lambda: d.Beta([1.0], [2.0]),
    "Categorical": lambda: d.Categorical(probs=[[0.5, 0.5]]),
    "Dirichlet": lambda: d.Dirichlet([1.0, 2.0]),
    "Exponential": lambda: d.Exponential([1.0]),
    "Gamma": lambda: d.Gamma([1.0], [2.0]),
    "Laplace": lambda: d.Laplace([0.0], [1.0]),
    "Multinomial": lambda: d.Multinomial(4.0, probs=[0.5, 0.5]),
    "Normal": lambda: d.Normal([0.0], [1.0]),
    "StudentT": lambda: d.StudentT([3.0], [0.0], [1.0]),
    "Uniform": lambda: d.Uniform([0.0], [1.0]),
}


@pytest.mark.parametrize("name", MAKERS)
def test_seeds_are_optional(name: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        samples, own = session.run([MAKERS[name]().sample(5), MAKERS[name]()._sample_n(5)])
    assert own.shape == samples.shape
    assert own.dtype == samples.dtype
