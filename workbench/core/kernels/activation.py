"""Activation functions and their gradients.

These run over the largest arrays of a network, so each keeps to one array besides its result, works
in ``out`` where one is given, and takes the steps that NumPy has vector code for. ``out`` may be
one of the inputs.
"""

from __future__ import annotations

import numpy as np

from workbench.core.kernels.precision import in_float32, scratch
from workbench.core.kernels.windows import Array

# Of Klambauer et al., 2017: the fixed point of mean 0 and variance 1.
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


def relu(features: Array, *, out: Array | None = None) -> Array:
    """``max(features, 0)``; a NaN stays one.

    >>> relu(np.array([-1.0, 2.0, np.nan]))
    array([ 0.,  2., nan])
    """
    result: Array = np.maximum(features, features.dtype.type(0), out=out)
    return result


def relu_grad(gradients: Array, features: Array, *, out: Array | None = None) -> Array:
    """``gradients`` where ``features`` (or the outputs of ``relu``) are positive, else 0."""
    # A product with the mask takes half the time of a choice between two arrays.
    result: Array = np.multiply(gradients, features > 0, out=out)
    return result


@in_float32
def relu6(features: Array, *, out: Array | None = None) -> Array:
    """``min(max(features, 0), 6)``; a NaN stays one."""
    number = features.dtype.type
    result: Array = np.clip(features, number(0), number(6), out=out)
    return result


def relu6_grad(gradients: Array, features: Array, *, out: Array | None = None) -> Array:
    """``gradients`` where ``features`` (or the outputs) are between 0 and 6, else 0."""
    between = features > 0
    between &= features < 6
    result: Array = np.multiply(gradients, between, out=out)
    return result


@in_float32
def elu(features: Array, *, out: Array | None = None) -> Array:
    """``features`` where positive, else ``exp(features) - 1``.

    >>> elu(np.array([-np.inf, -1e-20, 3.0]))
    array([-1.e+00, -1.e-20,  3.e+00])
    """
    below = _expm1_in_place(np.minimum(features, 0))
    out = np.maximum(features, 0, out=out)
    out += below
    return out


@in_float32
def elu_grad(gradients: Array, outputs: Array, *, out: Array | None = None) -> Array:
    """The gradient of ``elu`` from its outputs: ``gradients * (min(outputs, 0) + 1)``."""
    factor = np.minimum(outputs, 0, out=scratch(out, gradients))
    factor += 1
    return np.multiply(factor, gradients, out=factor if out is None else out)


@in_float32
def selu(features: Array, *, out: Array | None = None) -> Array:
    """``scale * elu(features)`` with ``alpha`` before the exponential part: self-normalising."""
    number = features.dtype.type
    below = _expm1_in_place(np.minimum(features, 0))
    below *= number(_SELU_SCALE * _SELU_ALPHA)
    out = np.maximum(features, 0, out=out)
    out *= number(_SELU_SCALE)
    out += below
    return out


@in_float32
def selu_grad(gradients: Array, outputs: Array, *, out: Array | None = None) -> Array:
    """The gradient of ``selu`` from its outputs."""
    number = outputs.dtype.type
    bottom = number(_SELU_SCALE * _SELU_ALPHA)
    above = outputs >= 0
    factor = np.minimum(outputs, 0, out=scratch(out, gradients))
    factor += bottom
    factor -= np.multiply(above, bottom - number(_SELU_SCALE))
    return np.multiply(factor, gradients, out=factor if out is None else out)


@in_float32
def softplus(features: Array, *, out: Array | None = None) -> Array:
    """``log(exp(features) + 1)``, without overflow and accurate where it is tiny.

    >>> softplus(np.array([-800.0, -40.0, 0.0, 800.0]))
    array([0.00000000e+00, 4.24835426e-18, 6.93147181e-01, 8.00000000e+02])
    """
    rest = np.abs(features)
    np.negative(rest, out=rest)
    with np.errstate(under="ignore"):
        _log1p_in_place(np.exp(rest, out=rest))
    out = np.maximum(features, 0, out=out)
    out += rest
    return out


@in_float32
def softplus_grad(gradients: Array, features: Array, *, out: Array | None = None) -> Array:
    """``gradients / (exp(-features) + 1)``."""
    divisor = np.negative(features, out=scratch(out, gradients))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        np.exp(divisor, out=divisor)
        divisor += 1
        return np.divide(gradients, divisor, out=divisor if out is None else out)


@in_float32
def softsign(features: Array, *, out: Array | None = None) -> Array:
    """``features / (abs(features) + 1)``."""
    divisor = np.abs(features, out=scratch(out, features))
    if divisor.dtype.kind in "iu":
        # A quotient of integers is cut off, and this one is below 1.
        return np.multiply(divisor, 0, out=divisor if out is None else out)
    divisor += 1
    with np.errstate(invalid="ignore"):
        return np.divide(features, divisor, out=divisor if out is None else out)


@in_float32
def softsign_grad(gradients: Array, features: Array, *, out: Array | None = None) -> Array:
    """``gradients / (abs(features) + 1) ** 2``."""
    divisor = np.abs(features, out=scratch(out, gradients))
    divisor += 1
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        divisor *= divisor
        return np.divide(gradients, divisor, out=divisor if out is None else out)


@in_float32
def sigmoid(x: Array, *, out: Array | None = None) -> Array:
    """``1 / (1 + exp(-x))``, accurate at both ends.

    An overflow of the exponential is an infinity, whose reciprocal is the right limit.

    >>> sigmoid(np.array([-800.0, -40.0, 0.0, 800.0]))
    array([0.00000000e+00, 4.24835426e-18, 5.00000000e-01, 1.00000000e+00])
    """
    out = np.negative(x, out=out)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        np.exp(out, out=out)
        out += 1
        return np.reciprocal(out, out=out)


@in_float32
def sigmoid_grad(y: Array, dy: Array, *, out: Array | None = None) -> Array:
    """The gradient of ``sigmoid`` from its outputs: ``dy * y * (1 - y)``."""
    factor = np.subtract(1, y, out=scratch(out, y, dy))
    factor *= y
    return np.multiply(factor, dy, out=factor if out is None else out)


@in_float32
def tanh_grad(y: Array, dy: Array, *, out: Array | None = None) -> Array:
    """The gradient of ``tanh`` from its outputs: ``dy * (1 - y * y)``."""
    factor = np.multiply(y, y, out=scratch(out, dy))
    np.subtract(1, factor, out=factor)
    return np.multiply(factor, dy, out=factor if out is None else out)


def _expm1_in_place(x: Array) -> Array:
    """``exp(x) - 1`` for ``x <= 0``.

    NumPy's expm1 has no vector code, its tanh has for float32: ``2t / (1 - t)`` with
    ``t = tanh(x / 2)`` loses no digits here, since ``1 - t`` is between 1 and 2.
    """
    if x.dtype != np.float32:
        return np.expm1(x, out=x)
    x *= np.float32(0.5)
    np.tanh(x, out=x)
    divisor = np.subtract(np.float32(1), x)
    x += x
    x /= divisor
    return x


def _log1p_in_place(x: Array) -> Array:
    """``log(1 + x)`` for ``0 <= x <= 1``; in float32 by NumPy's vector code for the logarithm.

    The rounding error of ``1 + x`` is found exactly and put right to the first order.
    """
    if x.dtype != np.float32:
        return np.log1p(x, out=x)
    one_more = x + np.float32(1)
    x -= one_more - np.float32(1)
    x /= one_more
    np.log(one_more, out=one_more)
    x += one_more
    return x
