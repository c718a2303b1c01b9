"""Activation functions and their gradients, in the order of roundings of their kernels."""

from __future__ import annotations

import numpy as np

from workbench.core.codegen.translation.description import FLOATS, NUMBERS
from workbench.core.codegen.translation.table import elementwise
from workbench.core.codegen.translation.term import Term, in_float32
from workbench.core.graph.dtypes import as_dtype

# Of Klambauer et al., 2017: the fixed point of mean 0 and variance 1.
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


def _masked(gradients: Term, mask: Term) -> Term:
    """A product, as in the kernel: NaN and infinity do not vanish where the mask is False."""
    return gradients * mask.where(1, gradients.like(0))


elementwise("Relu", NUMBERS, lambda x: x.maximum(0))
elementwise("ReluGrad", NUMBERS, lambda dy, x: _masked(dy, x > 0))
# With the limits first, a zero keeps its sign as in NumPy's clip.
elementwise("Relu6", NUMBERS, in_float32(lambda x: x.like(6).minimum(x.like(0).maximum(x))))
elementwise("Relu6Grad", NUMBERS, lambda dy, x: _masked(dy, (x > 0) & (x < 6)))


def _selu(x: Term) -> Term:
    below = x.minimum(0).apply("expm1") * (_SELU_SCALE * _SELU_ALPHA)
    return x.maximum(0) * _SELU_SCALE + below


def _selu_grad(dy: Term, y: Term) -> Term:
    number = as_dtype(y.dtype).as_numpy_dtype
    bottom = number(_SELU_SCALE * _SELU_ALPHA)
    difference = float(np.subtract(bottom, number(_SELU_SCALE)))
    factor = y.minimum(0) + float(bottom)
    factor = factor - (y >= 0).where(difference, y.like(0))
    return factor * dy


elementwise("Elu", FLOATS, in_float32(lambda x: x.maximum(0) + x.minimum(0).apply("expm1")))
elementwise("EluGrad", FLOATS, in_float32(lambda dy, y: (y.minimum(0) + 1) * dy))
elementwise("Selu", FLOATS, in_float32(_selu))
elementwise("SeluGrad", FLOATS, in_float32(_selu_grad))


def _softsign(x: Term) -> Term:
    # A quotient of integers is cut off, and this one is below 1.
    return x / (abs(x) + 1) if x.is_floating else x.like(0)


elementwise(
    "Softplus",
    FLOATS,
    in_float32(lambda x: x.maximum(0) + (-abs(x)).apply("exp").apply("log1p")),
)
elementwise("SoftplusGrad", FLOATS, in_float32(lambda dy, x: dy / ((-x).apply("exp") + 1)))
elementwise("Softsign", NUMBERS, in_float32(_softsign))
elementwise("SoftsignGrad", FLOATS, in_float32(lambda dy, x: dy / (abs(x) + 1).square()))
