"""The logarithm of the gamma function, its derivatives and Hurwitz's zeta function."""

from __future__ import annotations

import math

import numpy as np

from workbench.core.kernels.support import Floats, in_float64, polynomial

# Fitted with 40 digits. lgamma(2 + z) = z * L(z) on |z| <= 1/2.
_LGAMMA = (
    0.42278433509846713,
    0.32246703342411326,
    -0.0673523010531956,
    0.020580808427780335,
    -0.007385551028937974,
    0.002890510331036772,
    -0.0011927539009204018,
    0.0005096695153484373,
    -0.00022315497868931946,
    9.945767440096764e-05,
    -4.492371708374659e-05,
    2.0505584372896933e-05,
    -9.456338120610123e-06,
    4.3847319318293745e-06,
    -1.9741884532905586e-06,
    9.199898075671394e-07,
    -5.812501250599261e-07,
    2.7880013392491846e-07,
)

# digamma(x) = (x - root) * D(x - 1.9) on [1.4, 2.4]; the root needs more digits than one number
# has, or the result would lose its own close to it.
_ROOT, _ROOT_REST = 1.4616321449683622, 9.549995429965697e-17
_DIGAMMA = (
    0.8125234482312883,
    -0.28412528099183637,
    0.1253943941062087,
    -0.060185255220356546,
    0.030055683576658835,
    -0.015330592831957533,
    0.007914886998055985,
    -0.004115852492772909,
    0.002149763882466229,
    -0.001125944674109559,
    0.0005907488939242071,
    -0.0003102907395256698,
    0.0001630474966594851,
    -8.573335192586099e-05,
    4.5369502409753095e-05,
    -2.3897705305393508e-05,
    1.1650326290790784e-05,
    -6.075385431232189e-06,
    4.937341771160287e-06,
    -2.645073034410317e-06,
)

# The Bernoulli numbers B(2), B(4), ... that all the asymptotic series below are made of.
_BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
    854513 / 138,
    -236364091 / 2730,
)
_STIRLING = tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI[:9], 1))
_PSI_SERIES = tuple(b / (2 * k) for k, b in enumerate(_BERNOULLI[:9], 1))
_EULER_MACLAURIN = tuple(b / math.factorial(2 * k) for k, b in enumerate(_BERNOULLI, 1))
_FACTORIALS = np.array([float(math.factorial(n)) for n in range(171)])
_LARGE = 8.0
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def lgamma(x: np.ndarray) -> np.ndarray:
    """The logarithm of the absolute value of the gamma function; infinite at its poles.

    >>> lgamma(np.array([1.0, 11.0, -1.0]))
    array([ 0.        , 15.10441257,         inf])
    """
    return in_float64(lgamma_float64, x)


def digamma(x: np.ndarray) -> np.ndarray:
    """The derivative of ``lgamma``; NaN at the poles.

    >>> digamma(np.array([1.0, 0.0]))
    array([-0.57721566,         nan])
    """
    return in_float64(_digamma_float64, x)


def polygamma(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The derivative of order ``a`` of ``digamma`` at ``x``; NaN for an order that is no count.

    >>> polygamma(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    array([-0.57721566,  1.64493407])
    """
    return in_float64(_polygamma_float64, a, x)


def zeta(x: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Hurwitz's zeta function: the sum of ``(q + k) ** -x`` over all ``k >= 0``.

    >>> zeta(np.array(2.0), np.array(1.0))
    array(1.64493407)
    """
    return in_float64(_zeta_float64, x, q)


def lgamma_float64(x: Floats) -> Floats:
    """``lgamma`` of a flat float64 array; floating-point warnings are the caller's business."""
    y = np.where(x <= 0, 1.0 - x, x)
    result = (y - 0.5) * (np.log(y) - 1.0) + (_HALF_LOG_TWO_PI - 0.5) + stirling_rest(y)
    small = y < _LARGE
    if small.any():
        result[small] = _lgamma_below_eight(y[small])
    reflected = x <= 0
    if reflected.any():
        z = x[reflected]
        sine = np.abs(np.sin(math.pi * (z - np.rint(z))))
        value = math.log(math.pi) - np.log(sine) - result[reflected]
        result[reflected] = np.where(z == np.floor(z), np.inf, value)
    return result


def stirling_rest(x: Floats) -> Floats:
    """What Stirling's formula lacks of ``lgamma(x)``, for ``x >= 8``."""
    inverse = 1.0 / x
    return inverse * polynomial(_STIRLING, inverse * inverse)


def lgamma_of_one_plus(x: Floats) -> Floats:
    """``lgamma(1 + x)`` for ``x > 0``, without the digits that the sum would lose of a tiny x."""
    near = np.minimum(x, 0.5)
    return np.where(
        x < 0.5,
        near * polynomial(_LGAMMA, near) - np.log1p(near),
        lgamma_float64(1.0 + np.maximum(x, 0.5)),
    )


def _lgamma_below_eight(x: Floats) -> Floats:
    shift = np.floor(x - 1.5)
    z = x - (shift + 2.0)  # exact, so that the result keeps its digits near its zeros, 1 and 2
    factor = np.where(shift == -1, x, np.where(shift == -2, x * (x + 1.0), 1.0))
    for k in range(1, 7):
        factor *= np.where(shift >= k, x - k, 1.0)
    result: Floats = z * polynomial(_LGAMMA, z) + np.sign(shift) * np.log(factor)
    return result


def _digamma_float64(x: Floats) -> Floats:
    y = np.where(x < 0, 1.0 - x, x)
    inverse = 1.0 / y
    square = inverse * inverse
    result = np.log(y) - 0.5 * inverse - square * polynomial(_PSI_SERIES, square)
    small = y < _LARGE
    if small.any():
        result[small] = _digamma_below_eight(y[small])
    negative = x < 0
    if negative.any():
        z = x[negative]
        result[negative] -= math.pi / np.tan(math.pi * (z - np.rint(z)))
    result[(x <= 0) & (x == np.floor(x))] = np.nan
    return result


def _digamma_below_eight(x: Floats) -> Floats:
    shift = np.floor(x - 1.4)
    y = x - shift
    result = ((y - _ROOT) - _ROOT_REST) * polynomial(_DIGAMMA, y - 1.9)
    for k in range(1, 8):
        result += np.where(shift >= k, 1.0 / (x - k), 0.0)
    result -= np.where(shift <= -2, 1.0 / (x + 1.0), 0.0)
    return result - np.where(shift <= -1, 1.0 / x, 0.0)


def _polygamma_float64(order: Floats, x: Floats) -> Floats:
    counted = (order >= 0) & (order == np.floor(order))
    n = np.where(counted, order, 1.0)
    table = _FACTORIALS[np.minimum(n, 170).astype(np.intp)]
    factorial = np.where(n <= 170, table, np.exp(lgamma_float64(n + 1.0)))
    sign = np.where(n % 2 == 0, -1.0, 1.0)
    result = sign * factorial * _zeta_float64(n + 1.0, x)
    result = np.where(n == 0, _digamma_float64(x), result)
    return np.where(counted, result, np.nan)


def _zeta_float64(s: Floats, q: Floats) -> Floats:
    whole = s == np.floor(s)
    even = whole & (s % 2 == 0)
    result = _zeta_of_positive(s, np.where(q > 0, q, 1.0))
    negative = (q < 0) & whole & (s > 1)
    if negative.any():
        # The terms of negative base are +-(|q| - k)^-s, a finite piece of two other zeta series.
        a, b = s[negative], q[negative]
        steps = np.floor(-b)
        rest = -b - steps
        piece = _zeta_of_positive(a, rest) - _zeta_of_positive(a, 1.0 - b)
        right = _zeta_of_positive(a, 1.0 - rest)
        result[negative] = right + np.where(even[negative], piece, -piece)
    pole = np.where(even, np.inf, np.nan)
    result = np.where((q <= 0) & (q == np.floor(q)), pole, result)
    result = np.where((q < 0) & ~whole, np.nan, result)
    result = np.where(s > 1, result, np.where(s == 1, np.inf, np.nan))
    return np.where(np.isnan(q) & (s != 1), np.nan, result)


def _zeta_of_positive(s: Floats, q: Floats) -> Floats:
    """Nine terms of the sum, the rest by the Euler-Maclaurin formula; s > 1 and q > 0."""
    result = np.power(q, -s)
    for k in range(1, 9):
        result += np.power(q + k, -s)
    end = q + 9.0
    last = np.power(end, -s)
    # With an infinite or huge s the factors below overflow while `last` is zero: no more to add.
    inverse = np.where(last > 0, 1.0 / end, 0.0)
    exponent = np.where(last > 0, s, 2.0)
    factor = exponent * inverse
    series = np.zeros_like(q)
    for k, coefficient in enumerate(_EULER_MACLAURIN, 1):
        series += coefficient * factor
        factor = factor * (exponent + (2 * k - 1)) * (exponent + 2 * k) * (inverse * inverse)
    rest = last * end / (exponent - 1.0) + last * (0.5 + series)
    return result + np.where(last > 0, rest, 0.0)
