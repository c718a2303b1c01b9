"""`tf.distributions`: densities that integrate to one, statistics and samples that agree with them.

The oracle is the density itself, summed or integrated numerically with NumPy, and closed forms of
the densities written in plain Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.distributions.kinds import (
    CONTINUOUS,
    DISCRETE,
    F,
    P,
    d,
    integral,
)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


@pytest.mark.parametrize("name", CONTINUOUS)
def test_densities_and_what_follows_from_them(session: Any, name: str) -> None:
    make, density, low, high = CONTINUOUS[name]
    distribution = make()
    x = np.linspace(low, high, 100_001)
    found = session.run(
        {
            "prob": distribution.prob(x),
            "log_prob": distribution.log_prob(x),
            "cdf": distribution.cdf(x),
            "log_cdf": distribution.log_cdf(x[250::250]),
            "survival": distribution.survival_function(x),
            "log_survival": distribution.log_survival_function(x[:-250:250]),
            "mean": distribution.mean(),
            "variance": distribution.variance(),
            "stddev": distribution.stddev(),
            "entropy": distribution.entropy(),
        }
    )
    places = slice(0, None, 10_000)
    np.testing.assert_allclose(found["prob"][places], [density(v) for v in x[places]], rtol=1e-6)
    np.testing.assert_allclose(np.exp(found["log_prob"]), found["prob"], rtol=1e-9)
    p = found["prob"]
    assert integral(p, x) == pytest.approx(1, abs=1e-5)
    mean = integral(p * x, x)
    assert found["mean"] == pytest.approx(mean, abs=1e-4)
    assert found["variance"] == pytest.approx(integral(p * (x - mean) ** 2, x), rel=1e-3)
    assert found["stddev"] == pytest.approx(math.sqrt(found["variance"]))
    positive = p > 0
    logs = np.where(positive, found["log_prob"], 0)
    assert found["entropy"] == pytest.approx(-integral(p * logs, x), abs=1e-3)
    areas = np.concatenate([[0], np.cumsum((p[1:] + p[:-1]) / 2 * np.diff(x))])
    np.testing.assert_allclose(found["cdf"], areas, atol=2e-5)
    np.testing.assert_allclose(found["survival"], 1 - found["cdf"], atol=1e-6)
    np.testing.assert_allclose(np.exp(found["log_cdf"]), found["cdf"][250::250], rtol=1e-6)
    np.testing.assert_allclose(
        np.exp(found["log_survival"]), found["survival"][:-250:250], rtol=1e-5, atol=1e-12
    )


def test_tails_of_the_normal_distribution(session: Any) -> None:
    x = np.array([-40.0, -25.0, -12.0, -3.0, 0.0, 5.0], np.float32)
    found = session.run(d.Normal(0.0, 1.0).log_cdf(x))
    want = [
        -0.5 * v * v - math.log(-v * math.sqrt(2 * math.pi)) + math.log(1 - 1 / v**2 + 3 / v**4)
        if v < -10
        else math.log(0.5 * math.erfc(-v / math.sqrt(2)))
        for v in x.astype(float).tolist()
    ]
    np.testing.assert_allclose(found, want, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["Uniform", "Exponential"])
def test_quantiles_undo_cumulated_probabilities(session: Any, name: str) -> None:
    distribution = CONTINUOUS[name][0]()
    p = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(session.run(distribution.cdf(distribution.quantile(p))), p)
    with pytest.raises(NotImplementedError, match="quantile is not implemented: Gamma"):
        d.Gamma(1.0, 1.0).quantile(0.5)


@pytest.mark.parametrize("name", DISCRETE)
def test_probabilities_and_what_follows_from_them(session: Any, name: str) -> None:
    make, values = DISCRETE[name]
    distribution = make()
    cast = values if values.ndim > 1 else values.astype(np.int32)
    p = session.run(distribution.prob(cast))
    assert p.sum() == pytest.approx(1)
    if name != "Categorical":
        mean, variance = session.run([distribution.mean(), distribution.variance()])
        want = p @ values
        np.testing.assert_allclose(mean, want, rtol=1e-6)
        np.testing.assert_allclose(variance, p @ (values - want) ** 2, rtol=1e-6)
    if name in ("Bernoulli", "Categorical"):
        entropy, mode = session.run([distribution.entropy(), distribution.mode()])
        assert entropy == pytest.approx(-(p * np.log(p)).sum())
        assert mode == values[p.argmax()]
    else:
        centred = values - p @ values
        covariance = session.run(distribution.covariance())
        np.testing.assert_allclose(covariance, (p[:, None] * centred).T @ centred, atol=1e-9)


def test_cumulated_classes(session: Any) -> None:
    found = session.run(d.Categorical(probs=P).cdf([0, 1, 2]))
    # TensorFlow leaves out the class itself.
    np.testing.assert_allclose(found, np.cumsum(P) - P, atol=1e-12)


def test_the_dirichlet_distribution(session: Any) -> None:
    """Its density over two classes is that of the beta distribution; moments by integration."""
    concentration = np.array([2.0, 3.5])
    distribution = d.Dirichlet(concentration)
    x = np.linspace(1e-6, 1 - 1e-6, 20_001)
    pairs = np.stack([x, 1 - x], 1)
    found = session.run(
        {
            "p": distribution.prob(pairs),
            "beta": d.Beta(F(2.0), F(3.5)).prob(x),
            "entropies": [distribution.entropy(), d.Beta(F(2.0), F(3.5)).entropy()],
            "mean": distribution.mean(),
            "covariance": distribution.covariance(),
            "mode": distribution.mode(),
        }
    )
    np.testing.assert_allclose(found["p"], found["beta"], rtol=1e-9)
    assert found["entropies"][0] == pytest.approx(found["entropies"][1])
    mean = [integral(found["p"] * pairs[:, i], x) for i in (0, 1)]
    np.testing.assert_allclose(found["mean"], mean, rtol=1e-5)
    for i, j in np.ndindex(2, 2):
        product = (pairs[:, i] - mean[i]) * (pairs[:, j] - mean[j])
        assert found["covariance"][i, j] == pytest.approx(integral(found["p"] * product, x), 1e-4)
    np.testing.assert_allclose(found["mode"], pairs[found["p"].argmax()], atol=1e-4)


EVERY = {
    **{name: case[0] for name, case in CONTINUOUS.items()},
    **{name: case[0] for name, case in DISCRETE.items()},
    "Dirichlet": lambda: d.Dirichlet(np.array([2.0, 3.5, 1.0])),
}


@pytest.mark.parametrize("name", EVERY)
def test_samples(session: Any, name: str) -> None:
    distribution = EVERY[name]()
    samples = distribution.sample([40, 500], seed=3)
    again = distribution.sample([40, 500], seed=3)
    shape = [40, 500, *distribution.event_shape.as_list()]
    assert samples.shape.as_list() == shape
    assert samples.dtype == distribution.dtype
    found, other = session.run([samples, again])
    np.testing.assert_array_equal(found, other)
    flat = found.reshape(20_000, *shape[2:]).astype(float)
    if name == "Categorical":
        shares = np.bincount(flat.astype(int)) / len(flat)
        np.testing.assert_allclose(shares, P, atol=0.02)
        return
    mean, stddev = session.run([distribution.mean(), distribution.stddev()])
    np.testing.assert_allclose(flat.mean(axis=0), mean, atol=5 * np.max(stddev) / 141)
    np.testing.assert_allclose(flat.std(axis=0), stddev, rtol=0.06)
