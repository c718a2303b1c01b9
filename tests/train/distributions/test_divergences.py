"""How far two distributions are apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.distributions.kinds import (
    CONTINUOUS,
    F,
    P,
    d,
    integral,
)


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


PAIRS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "Normal": (lambda: d.Normal(F(1.0), F(2.0)), lambda: d.Normal(F(0.0), F(3.0))),
    "Gamma": (lambda: d.Gamma(F(3.0), F(2.0)), lambda: d.Gamma(F(2.0), F(1.0))),
    "Exponential": (lambda: d.Exponential(F(2.0)), lambda: d.Exponential(F(0.5))),
    "Beta": (lambda: d.Beta(F(2.0), F(3.5)), lambda: d.Beta(F(1.5), F(1.0))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_divergences_by_integration(session: Any, name: str) -> None:
    a, b = (make() for make in PAIRS[name])
    _, _, low, high = CONTINUOUS[name]
    x = np.linspace(low, high, 200_001)
    found, p, q = session.run([d.kl_divergence(a, b), a.log_prob(x), b.log_prob(x)])
    assert found == pytest.approx(integral(np.exp(p) * (p - q), x), abs=1e-4)


def test_divergences_of_classes(session: Any) -> None:
    q = np.array([0.6, 0.1, 0.3])
    want = float((P * np.log(P / q)).sum())
    found = session.run(
        [
            d.kl_divergence(d.Categorical(probs=P), d.Categorical(probs=q)),
            d.kl_divergence(d.Bernoulli(probs=F(0.3)), d.Bernoulli(probs=F(0.6))),
            d.kl_divergence(d.Dirichlet([2.0, 3.5]), d.Dirichlet([1.5, 1.0])),
            d.kl_divergence(d.Beta(2.0, 3.5), d.Beta(1.5, 1.0)),
        ]
    )
    assert found[0] == pytest.approx(want)
    a, b = d.Categorical(probs=P), d.Categorical(probs=q)
    assert session.run(a.cross_entropy(b)) == pytest.approx(float(-(P * np.log(q)).sum()))
    assert found[1] == pytest.approx(0.3 * math.log(0.5) + 0.7 * math.log(0.7 / 0.4))
    assert found[2] == pytest.approx(found[3], rel=1e-4)


class _Own(d.Normal):  # type: ignore[misc]
    pass


class _Other(d.Distribution):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(tf.float32, d.NOT_REPARAMETERIZED, False, True)


def test_divergences_of_kinds_of_ones_own(session: Any) -> None:
    with pytest.raises(NotImplementedError, match="registered for distribution_a type _Other"):
        d.kl_divergence(_Other(), _Other())
    d.RegisterKL(_Other, _Other)(lambda a, b, name=None: tf.constant(np.float32("nan")))
    assert np.isnan(session.run(d.kl_divergence(_Other(), _Other())))
    with pytest.raises(tf.errors.InvalidArgumentError, match="returned NaN values"):
        session.run(d.kl_divergence(_Other(), _Other(), allow_nan_stats=False))
    with pytest.raises(ValueError, match="has already been registered"):
        d.RegisterKL(_Other, _Other)(lambda a, b, name=None: None)
    # What is registered for a class holds for those derived from it.
    assert session.run(d.kl_divergence(_Own(0.0, 1.0), d.Normal(0.0, 1.0))) == 0
