"""Special functions against mpmath, at their edges, and in every dtype."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest

from workbench.core.kernels import special

rng = np.random.default_rng(20)
INF, NAN = math.inf, math.nan


def spread(low: float, high: float, count: int = 120) -> np.ndarray:
    """Values between two bounds, evenly spread over the orders of magnitude."""
    return np.exp(rng.uniform(math.log(low), math.log(high), count))


def relative_errors(kernel: Callable[..., Any], oracle: Callable[..., Any], *arguments: Any) -> Any:
    results = kernel(*(np.asarray(argument) for argument in arguments))
    errors = []
    with mpmath.workdps(50):
        for index, result in enumerate(results):
            expected = oracle(*(mpmath.mpf(float(argument[index])) for argument in arguments))
            errors.append(float(abs(mpmath.mpf(float(result)) / expected - 1)))
    return np.array(errors)


NEAR = np.concatenate([rng.normal(size=80), rng.normal(size=20) * 1e-9, rng.normal(size=40) * 4])
POSITIVE = np.concatenate(
    [spread(1e-20, 1e15), rng.uniform(0, 10, 100), 1 + rng.normal(size=20) * 1e-6]
)
ROOT = 1.4616321449683622 + rng.normal(size=30) * 1e-5
ORDERS = rng.integers(0, 40, 60).astype(float)

ONE_ARGUMENT = [
    ("erf", special.erf, mpmath.erf, NEAR, 1e-15),
    ("erfc", special.erfc, mpmath.erfc, np.concatenate([NEAR, rng.uniform(0, 26, 80)]), 2e-15),
    ("lgamma", special.lgamma, mpmath.loggamma, POSITIVE, 2e-15),
    ("lgamma of negatives", special.lgamma, lambda x: mpmath.log(abs(mpmath.gamma(x))),
     -rng.uniform(0, 1.8, 60), 1e-14),
    ("digamma", special.digamma, mpmath.digamma, np.concatenate([POSITIVE, ROOT]), 1e-14),
    ("digamma of negatives", special.digamma, mpmath.digamma,
     -rng.integers(0, 20, 60) - rng.uniform(0.55, 0.95, 60), 1e-14),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "oracle", "values", "tolerance"),
    [case[1:] for case in ONE_ARGUMENT],
    ids=[case[0] for case in ONE_ARGUMENT],
)
def test_functions_of_one_argument(kernel: Any, oracle: Any, values: Any, tolerance: float) -> None:
    assert relative_errors(kernel, oracle, values).max() < tolerance


def upper(a: Any, x: Any) -> Any:
    return mpmath.gammainc(a, x, mpmath.inf, regularized=True)


def lower(a: Any, x: Any) -> Any:
    return mpmath.gammainc(a, 0, x, regularized=True)


def beta(a: Any, b: Any, x: Any) -> Any:
    return mpmath.betainc(a, b, 0, x, regularized=True)


MIDDLE, LARGE = rng.uniform(1, 200, 40), spread(201, 5000, 40)
SEVERAL_ARGUMENTS = [
    ("zeta", special.zeta, mpmath.zeta, (rng.uniform(1.001, 40, 60), spread(1e-3, 100, 60)), 1e-14),
    ("zeta near its pole", special.zeta, mpmath.zeta,
     (1 + spread(1e-9, 1, 30), spread(1e-3, 1e9, 30)), 1e-14),
    ("polygamma", special.polygamma, lambda n, x: mpmath.psi(int(n), x),
     (ORDERS, spread(0.01, 100, 60)), 1e-14),
    ("igamma small", special.igamma, lower, (spread(1e-6, 8), spread(1e-4, 20)), 1e-13),
    ("igammac small", special.igammac, upper, (spread(1e-6, 8), spread(1e-4, 20)), 1e-13),
    ("igamma middle", special.igamma, lower, (MIDDLE, MIDDLE * rng.uniform(0.3, 2.5, 40)), 1e-12),
    ("igammac middle", special.igammac, upper, (MIDDLE, MIDDLE * rng.uniform(0.3, 2.5, 40)), 1e-12),
    ("igamma large", special.igamma, lower, (LARGE, LARGE * rng.uniform(0.8, 1.2, 40)), 1e-12),
    ("igammac large", special.igammac, upper, (LARGE, LARGE * rng.uniform(0.8, 1.2, 40)), 1e-12),
    ("betainc", special.betainc, beta,
     (spread(0.01, 60), spread(0.01, 60), rng.uniform(0, 1, 120)), 2e-12),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "oracle", "arguments", "tolerance"),
    [case[1:] for case in SEVERAL_ARGUMENTS],
    ids=[case[0] for case in SEVERAL_ARGUMENTS],
)
def test_functions_of_several_arguments(
    kernel: Any, oracle: Any, arguments: Any, tolerance: float
) -> None:
    assert relative_errors(kernel, oracle, *arguments).max() < tolerance


def test_zeta_of_a_negative_offset_is_the_shifted_sum() -> None:
    q = -rng.uniform(0.1, 30, 40)
    for exponent in (2, 3, 7):

        def oracle(s: Any, q: Any) -> Any:
            return mpmath.zeta(s, q + 31) + sum((q + k) ** -int(s) for k in range(31))

        s = np.full_like(q, exponent)
        assert relative_errors(special.zeta, oracle, s, q).max() < 1e-12


def test_betainc_with_huge_parameters_is_the_normal_integral() -> None:
    a = np.array([1e6, 1e8])
    result = special.betainc(a, a, 0.5 - 1 / np.sqrt(8 * a))  # one standard deviation below
    np.testing.assert_allclose(result, 0.15865525393145707, rtol=1e-6)


def test_log1pmx_does_not_cancel() -> None:
    x = np.concatenate([rng.uniform(-0.6, 0.6, 100), rng.normal(size=20) * 1e-8])
    assert relative_errors(special.log1pmx, lambda x: mpmath.log(1 + x) - x, x).max() < 1e-14


EDGES = [
    (special.erf, ([0.0, -0.0, INF, -INF, NAN],), [0.0, -0.0, 1, -1, NAN]),
    (special.erfc, ([0.0, INF, -INF, NAN, 30.0],), [1, 0, 2, NAN, 0]),
    (special.lgamma, ([0.0, -0.0, -3, INF, -INF, NAN, 1, 2, 1e308],), [INF] * 5 + [NAN, 0, 0, INF]),
    (special.digamma, ([0.0, -2, INF, -INF, NAN],), [NAN, NAN, INF, NAN, NAN]),
    (special.polygamma, ([1, 2, 1, 1.5, -1, 0], [0, -1, INF, 1, 1, 0]),
     [INF, NAN, 0, NAN, NAN, NAN]),
    (special.zeta, ([1, 0.5, 2, 3, 2.5, INF, INF, 2], [1, 1, -1, -1, -0.5, 1, 2, INF]),
     [INF, NAN, INF, NAN, NAN, 1, 0, 0]),
    (special.igamma, ([1, 1, 1, 0, -1, INF, 1, NAN], [0, INF, -1, 1, 1, 1, NAN, 1]),
     [0, 1, NAN, NAN, NAN, 0, NAN, NAN]),
    (special.igammac, ([1, 1, 1, 0, INF], [0, INF, -1, 1, 1]), [1, 0, NAN, NAN, 1]),
    (special.betainc, ([1, 1, 0, 1, 1, 1], [1, 1, 1, -1, 1, 1], [0, 1, 0.5, 0.5, -0.1, NAN]),
     [0, 1, NAN, NAN, NAN, NAN]),
    (special.log1pexp, ([-INF, INF, NAN],), [0, INF, NAN]),
    (special.log1mexp, ([-INF, 0.0, NAN],), [-0.0, -INF, NAN]),
]  # fmt: skip


@pytest.mark.parametrize(("kernel", "arguments", "expected"), EDGES)
def test_edges(kernel: Any, arguments: Any, expected: list[float]) -> None:
    result = kernel(*(np.array(argument, np.float64) for argument in arguments))
    np.testing.assert_array_equal(result, np.array(expected, np.float64))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_every_float_dtype_is_kept_and_rounded_once(dtype: Any) -> None:
    x = np.linspace(0.05, 0.95, 40).reshape(5, 8).astype(dtype)
    exact = x.astype(np.float64)
    for kernel in (special.erf, special.erfc, special.lgamma, special.digamma):
        result = kernel(x)
        assert result.dtype == dtype and result.shape == x.shape
        spacing = float(ml_dtypes.finfo(dtype).eps)
        np.testing.assert_allclose(result.astype(np.float64), kernel(exact), rtol=4 * spacing)
    for kernel in (special.polygamma, special.zeta, special.igamma, special.igammac):
        assert kernel(x, x).dtype == dtype
    assert special.betainc(x, x, x).dtype == dtype
    assert special.log1pexp(x).dtype == dtype and special.log1mexp(-x).dtype == dtype


def test_float32_erf_is_accurate_to_a_few_units_and_never_exceeds_one() -> None:
    x = np.linspace(-6, 6, 20001, dtype=np.float32)
    result = special.erf(x)
    expected = np.array([math.erf(float(value)) for value in x])
    np.testing.assert_allclose(result, expected, rtol=5e-7)
    assert result.min() == -1 and result.max() == 1
    assert np.isnan(special.erf(np.float32(NAN)))


def test_arguments_broadcast_and_are_left_alone() -> None:
    a, x = np.array([[0.5], [2.0]]), np.array([0.1, 1.0, 9.0])
    kept = a.copy(), x.copy()
    result = special.igamma(a, x)
    assert result.shape == (2, 3)
    np.testing.assert_allclose(result + special.igammac(a, x), 1.0)
    np.testing.assert_array_equal(a, kept[0])
    np.testing.assert_array_equal(x, kept[1])
    assert special.lgamma(np.float32(3.0)).shape == ()
    assert special.erf(np.zeros((0, 3), np.float32)).shape == (0, 3)
