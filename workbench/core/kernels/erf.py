"""The error function and its complement."""

from __future__ import annotations

import numpy as np

from workbench.core.kernels.support import BLOCK, Floats, in_float64, polynomial

# Fitted with 40 digits. erf(x) = x * S(x^2) on |x| <= 1, to 2e-16.
NEAR_ZERO = (
    1.1283791670955126,
    -0.37612638903183543,
    0.1128379167094513,
    -0.026866170643256995,
    0.005223977607269946,
    -0.0008548325982543225,
    0.00012055295112667001,
    -1.4924740785377576e-05,
    1.6447471190594618e-06,
    -1.6208829856810202e-07,
    1.3721520406351094e-08,
    -7.798543850549947e-10,
)

# (1 + 2x) exp(x^2) erfc(x) = T(t) on x >= 0 with t = (x - 3.5) / (x + 3.5): one polynomial for the
# whole half line, because t maps it to [-1, 1) and the scaled function varies little.
SCALED_COMPLEMENT = (
    1.2423492448711544,
    -0.1400091801376197,
    -0.010555596332218569,
    0.09751909515328706,
    -0.11508959816017852,
    0.08798315382403678,
    -0.04882332582812556,
    0.019099330953271165,
    -0.004215019906373612,
    -0.0003022679534333239,
    0.000564384418191686,
    -0.00012151212091980101,
    -4.278228563287069e-05,
    2.4260300984917994e-05,
    2.328626178388271e-06,
    -3.814012584490695e-06,
    -4.5143146280953446e-08,
    6.014823849950426e-07,
    -6.466973089768061e-09,
    -9.64004253144383e-08,
    -7.57017975707362e-10,
    1.3624442778701048e-08,
    6.021972015439118e-10,
    -1.1656687889203665e-09,
    -9.029888342508032e-11,
)

# For float32: erf(x) = x * N(x^2) / D(x^2) up to where it rounds to one.
ONE_FROM = np.float32(3.832507)
NUMERATOR = (
    1.1283791520785655,
    0.1873087563952966,
    0.05241857505464642,
    0.0036527661981470313,
    0.00028594243187347564,
    2.123116360180083e-06,
)
DENOMINATOR = (
    1.0,
    0.4993309674580589,
    0.11290066482145546,
    0.014742526398028193,
    0.0011417080424962836,
    3.889807171274331e-05,
)


def erf(x: np.ndarray) -> np.ndarray:
    """The error function, element by element.

    >>> erf(np.array([0.0, 0.5, -np.inf]))
    array([ 0.        ,  0.52049988, -1.        ])
    """
    x = np.asarray(x)
    if x.dtype == np.float64:
        return in_float64(_erf_float64, x)
    flat = x.reshape(-1)
    result = np.empty(flat.size, x.dtype)
    for start in range(0, flat.size, BLOCK):
        block = flat[start : start + BLOCK].astype(np.float32)
        result[start : start + BLOCK] = _erf_float32(block).astype(x.dtype)
    return result.reshape(x.shape)


def erfc(x: np.ndarray) -> np.ndarray:
    """The complement ``1 - erf(x)`` to full relative accuracy, however small it is.

    >>> erfc(np.array([0.0, 10.0]))
    array([1.00000000e+00, 2.08848758e-45])
    """
    return in_float64(erfc_float64, x)


def erfc_float64(x: Floats) -> Floats:
    """``erfc`` of a flat float64 array; floating-point warnings are the caller's business."""
    size = np.abs(x)
    tail = _erfc_of_positive(size)
    result = np.where(x < 0, 2.0 - tail, tail)
    near = size < 0.5
    if near.any():
        result[near] = 1.0 - _erf_near_zero(x[near])
    return result


def _erf_float64(x: Floats) -> Floats:
    size = np.abs(x)
    near = size < 0.75
    if near.all():
        return _erf_near_zero(x)
    result = np.copysign(1.0 - _erfc_of_positive(size), x)
    if near.any():
        result[near] = _erf_near_zero(x[near])
    return result


def _erf_near_zero(x: Floats) -> Floats:
    return x * polynomial(NEAR_ZERO, x * x)


def _erfc_of_positive(x: Floats) -> Floats:
    # Beyond 28 the result is zero; the bound keeps infinities out of the differences below.
    x = np.minimum(x, 28.0)
    scaled = polynomial(SCALED_COMPLEMENT, (x - 3.5) / (x + 3.5)) / (1.0 + 2.0 * x)
    # exp(-x^2) loses digits with the size of x^2, so x is split: the square of `head` is exact.
    head = x.astype(np.float32).astype(np.float64)
    return scaled * np.exp(-head * head) * np.exp((head - x) * (head + x))


def _erf_float32(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, -ONE_FROM, ONE_FROM)
    square = x * x
    x *= polynomial(NUMERATOR, square)
    x /= polynomial(DENOMINATOR, square)
    return np.clip(x, -1.0, 1.0, out=x)
