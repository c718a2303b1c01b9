"""The regularised incomplete gamma and beta functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.erf import erfc_float64
from workbench.core.kernels.gamma import lgamma_float64, lgamma_of_one_plus, stirling_rest
from workbench.core.kernels.support import Floats, in_float64, polynomial

_EPSILON = float(np.finfo(np.float64).eps)
_TINY = 1e-300
_LARGE = 8.0
#: From here on the uniform expansion in 1/a holds to full accuracy close to x = a, where both the
#: series and the continued fraction need ever more terms.
_UNIFORM_FROM, _UNIFORM_WIDTH = 200.0, 0.3


def igamma(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The lower regularised incomplete gamma function P(a, x); NaN unless a > 0 and x >= 0.

    >>> igamma(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    array([0.63212056, 0.59399415])
    """
    return in_float64(lambda a, x: _gamma_ratios(a, x)[0], a, x)


def igammac(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The upper regularised incomplete gamma function Q = 1 - P, accurate where it is small too.

    >>> igammac(np.array([1.0]), np.array([50.0]))
    array([1.92874985e-22])
    """
    return in_float64(lambda a, x: _gamma_ratios(a, x)[1], a, x)


def betainc(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The regularised incomplete beta function; NaN unless a > 0, b > 0 and 0 <= x <= 1.

    >>> betainc(np.array([2.0]), np.array([3.0]), np.array([0.25]))
    array([0.26171875])
    """
    return in_float64(_betainc_float64, a, b, x)


def log1pmx(x: Floats) -> Floats:
    """``log1p(x) - x`` without the cancellation near zero, for float64 arrays."""
    result = np.log1p(x) - x
    near = np.abs(x) < 0.5
    if near.any():
        # log1p(x) = 2 artanh(r), and x = 2r + x r: what remains is of second order, as it should.
        z = x[near]
        r = z / (2.0 + z)
        square = r * r
        series = polynomial([2.0 / (2 * k + 3) for k in range(17)], square)
        result[near] = r * (square * series - z)
    return result


def _gamma_ratios(a: Floats, x: Floats) -> tuple[Floats, Floats]:
    lower = np.full_like(x, np.nan)
    upper = np.full_like(x, np.nan)
    valid = (a > 0) & (x >= 0)
    inside = valid & (x > 0) & (x < np.inf) & (a < np.inf)
    _set(lower, upper, valid & ((x == 0) | ((a == np.inf) & (x < np.inf))), 0.0)
    _set(lower, upper, valid & (x == np.inf) & (a < np.inf), 1.0)

    uniform = inside & (a > _UNIFORM_FROM) & (np.abs(x - a) < _UNIFORM_WIDTH * a)
    if uniform.any():
        lower[uniform], upper[uniform] = _uniform_expansion(a[uniform], x[uniform])
    series = inside & ~uniform & ((x <= 1.1) | (x <= a))
    if series.any():
        _set(lower, upper, series, _lower_series(a[series], x[series]))
        cancelled = series & (x <= 1.1) & (lower > 0.5)
        if cancelled.any():
            upper[cancelled] = _upper_series(a[cancelled], x[cancelled])
    fraction = inside & ~uniform & ~series
    if fraction.any():
        upper[fraction] = _upper_fraction(a[fraction], x[fraction])
        lower[fraction] = 1.0 - upper[fraction]
    return lower, upper


def _set(lower: Floats, upper: Floats, where: NDArray[np.bool_], value: Floats | float) -> None:
    lower[where] = value
    upper[where] = 1.0 - lower[where]


def _gamma_density(a: Floats, x: Floats) -> Floats:
    """``x**a exp(-x) / gamma(a + 1)``."""
    plain = np.exp(a * np.log(x) - x - lgamma_of_one_plus(a))
    large = np.maximum(a, _LARGE)
    ratio = x / large
    exponent = np.where(ratio < 0.5, np.log(ratio) + 1.0 - ratio, log1pmx((x - large) / large))
    scaled = np.exp(large * exponent - stirling_rest(large)) / np.sqrt(2 * math.pi * large)
    return np.where(a < _LARGE, plain, scaled)


def _lower_series(a: Floats, x: Floats) -> Floats:
    term = np.ones_like(x)
    total = np.ones_like(x)
    for n in range(1, 5000):
        term *= x / (a + n)
        total += term
        if n % 8 == 0 and not (term > total * (0.1 * _EPSILON)).any():
            break
    return np.minimum(_gamma_density(a, x) * total, 1.0)


def _upper_series(a: Floats, x: Floats) -> Floats:
    """Q for small x, where 1 - P would cancel: a power series of the difference itself."""
    term = np.ones_like(x)
    total = np.zeros_like(x)
    for n in range(1, 25):
        term *= -x / n
        total += term / (a + n)
    exponent = a * np.log(x) - lgamma_of_one_plus(a)
    return -np.expm1(exponent) - np.exp(exponent) * a * total


def _upper_fraction(a: Floats, x: Floats) -> Floats:
    start = x + 1.0 - a

    def terms(n: int) -> tuple[Floats, Floats]:
        return n * (a - n), start + 2.0 * n

    return _gamma_density(a, x) * a / _continued_fraction(start, terms)


def _continued_fraction(start: Floats, terms: Callable[[int], tuple[Floats, Floats]]) -> Floats:
    """``start + a1 / (b1 + a2 / (b2 + ...))`` by the modified Lentz method."""
    value = np.where(start == 0, _TINY, start)
    c, d = value.copy(), np.zeros_like(value)
    for n in range(1, 20000):
        numerator, denominator = terms(n)
        d = denominator + numerator * d
        c = denominator + numerator / c
        d = 1.0 / np.where(d == 0, _TINY, d)
        c = np.where(c == 0, _TINY, c)
        step = c * d
        value *= step
        if n % 8 == 0 and not (np.abs(step - 1.0) > 4 * _EPSILON).any():
            break
    return value


@cache
def _uniform_coefficients(orders: int = 8, degree: int = 18) -> list[list[float]]:
    """The Taylor coefficients of Temme's expansion (DLMF 8.12), from their exact recurrences."""
    count = degree + 2 * orders + 4
    alpha = [Fraction(0), Fraction(1), Fraction(1, 3)]
    for n in range(3, count):
        inner = sum(k * alpha[k] * alpha[n - k + 1] for k in range(2, n))
        alpha.append((alpha[n - 1] - inner) / (n + 1))
    row = [Fraction(-1, 3)] + [(n + 2) * alpha[n + 2] for n in range(1, count - 2)]
    first, rows = row, [row]
    for k, stirling in enumerate(_stirling_coefficients(orders)[1:], 1):
        sign = -1 if k % 2 else 1
        row = [sign * stirling * first[n] + (n + 2) * row[n + 2] for n in range(len(row) - 2)]
        rows.append(row)
    return [[float(value) for value in row[: degree + 1]] for row in rows]


def _stirling_coefficients(count: int) -> list[Fraction]:
    """``gamma(a)`` over Stirling's approximation as a series in 1/a: 1, 1/12, 1/288, ..."""
    logarithm = [Fraction(0)] * (count + 1)
    for power, value in ((1, (1, 12)), (3, (-1, 360)), (5, (1, 1260)), (7, (-1, 1680))):
        logarithm[power] = Fraction(*value)
    series = [Fraction(1)]
    for n in range(1, count):
        series.append(
            sum((k * logarithm[k] * series[n - k] for k in range(1, n + 1)), Fraction(0)) / n
        )
    return series


def _uniform_expansion(a: Floats, x: Floats) -> tuple[Floats, Floats]:
    excess = (x - a) / a
    half_square = -log1pmx(excess)  # eta**2 / 2 of the literature
    eta = np.copysign(np.sqrt(2.0 * half_square), excess)
    rest = np.zeros_like(a)
    for row in _uniform_coefficients()[::-1]:
        rest = rest / a + polynomial(row, eta)
    rest *= np.exp(-a * half_square) / np.sqrt(2 * math.pi * a)
    distance = eta * np.sqrt(0.5 * a)
    return 0.5 * erfc_float64(-distance) - rest, 0.5 * erfc_float64(distance) + rest


def _betainc_float64(a: Floats, b: Floats, x: Floats) -> Floats:
    result = np.full_like(x, np.nan)
    valid = (a > 0) & (b > 0) & (a < np.inf) & (b < np.inf)
    result[valid & (x == 0)] = 0.0
    result[valid & (x == 1)] = 1.0
    inside = valid & (x > 0) & (x < 1)
    if inside.any():
        a, b, x = a[inside], b[inside], x[inside]
        # The fraction converges fast on one side of the mean; the other side is its mirror image.
        mirrored = x > (a + 1.0) / (a + b + 2.0)
        p, q = np.where(mirrored, b, a), np.where(mirrored, a, b)
        y, rest = np.where(mirrored, 1.0 - x, x), np.where(mirrored, x, 1.0 - x)
        tail = _beta_density(p, q, y, rest) / _beta_fraction(p, q, y)
        result[inside] = np.clip(np.where(mirrored, 1.0 - tail, tail), 0.0, 1.0)
    return result


def _beta_density(a: Floats, b: Floats, x: Floats, rest: Floats) -> Floats:
    """``x**a rest**b / (a B(a, b))`` with ``rest = 1 - x``."""
    log_beta = lgamma_float64(a) + lgamma_float64(b) - lgamma_float64(a + b)
    plain = np.exp(a * np.log(x) + b * np.log(rest) - log_beta) / a
    # For large parameters the logarithms above cancel: count from the mean a / (a + b) instead.
    p, q = np.maximum(a, _LARGE), np.maximum(b, _LARGE)
    excess = x * q - rest * p
    exponent = p * log1pmx(excess / p) + q * log1pmx(-excess / q)
    exponent += stirling_rest(p + q) - stirling_rest(p) - stirling_rest(q)
    scaled = np.exp(exponent) * np.sqrt(q / (2 * math.pi * p * (p + q)))
    return np.where((a < _LARGE) | (b < _LARGE), plain, scaled)


def _beta_fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    def terms(n: int) -> tuple[Floats, Floats]:
        m = n // 2
        if n % 2:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        return numerator, np.ones_like(x)

    return _continued_fraction(np.ones_like(x), terms)
