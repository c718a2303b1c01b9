"""Distributions of every kind, with their densities as closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import workbench as tf

d = tf.distributions


F = np.float64


GAMMA = math.gamma


def _beta(a: float, b: float) -> float:
    return GAMMA(a) * GAMMA(b) / GAMMA(a + b)


#: Each with its density at x in plain Python, and the numbers to integrate from and to.
CONTINUOUS: dict[str, tuple[Callable[[], Any], Callable[[float], float], float, float]] = {
    "Normal": (
        lambda: d.Normal(F(1.0), F(2.0)),
        lambda x: math.exp(-((x - 1) ** 2) / 8) / math.sqrt(8 * math.pi),
        -25.0,
        27.0,
    ),
    "Laplace": (
        lambda: d.Laplace(F(1.0), F(0.5)),
        lambda x: math.exp(-2 * abs(x - 1)),
        -20.0,
        22.0,
    ),
    "Uniform": (lambda: d.Uniform(F(-1.0), F(3.0)), lambda x: 0.25, -1.0, 3.0 - 1e-9),
    "Exponential": (lambda: d.Exponential(F(2.0)), lambda x: 2 * math.exp(-2 * x), 1e-9, 25.0),
    "Gamma": (
        lambda: d.Gamma(F(3.0), F(2.0)),
        lambda x: 2**3 * x**2 * math.exp(-2 * x) / GAMMA(3),
        1e-9,
        40.0,
    ),
    "Beta": (
        lambda: d.Beta(F(2.0), F(3.5)),
        lambda x: x * (1 - x) ** 2.5 / _beta(2, 3.5),
        1e-9,
        1 - 1e-9,
    ),
    "StudentT": (
        lambda: d.StudentT(F(12.0), F(0.5), F(1.5)),
        lambda x: (
            (1 + ((x - 0.5) / 1.5) ** 2 / 12) ** -6.5
            * GAMMA(6.5)
            / (GAMMA(6.0) * math.sqrt(12 * math.pi) * 1.5)
        ),
        -400.0,
        401.0,
    ),
    "StudentT turned round": (
        lambda: d.StudentT(F(12.0), F(0.5), F(-1.5)),
        lambda x: (
            (1 + ((x - 0.5) / 1.5) ** 2 / 12) ** -6.5
            * GAMMA(6.5)
            / (GAMMA(6.0) * math.sqrt(12 * math.pi) * 1.5)
        ),
        -400.0,
        401.0,
    ),
}


def integral(values: Any, x: Any) -> Any:
    return np.trapezoid(values, x)


def all_counts(total: int, classes: int) -> Any:
    found = np.array(np.meshgrid(*[range(total + 1)] * classes)).reshape(classes, -1).T
    return found[found.sum(axis=1) == total].astype(float)


P = np.array([0.2, 0.5, 0.3])


DISCRETE: dict[str, tuple[Callable[[], Any], Any]] = {
    "Bernoulli": (lambda: d.Bernoulli(probs=F(0.3)), np.array([0.0, 1.0])),
    "Categorical": (lambda: d.Categorical(probs=P), np.array([0.0, 1.0, 2.0])),
    "Multinomial": (lambda: d.Multinomial(F(3.0), probs=P), all_counts(3, 3)),
    "DirichletMultinomial": (
        lambda: d.DirichletMultinomial(F(3.0), np.array([1.0, 2.0, 0.5])),
        all_counts(3, 3),
    ),
}
