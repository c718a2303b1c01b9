"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.precision import in_float32
from workbench.core.ops import api
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import sample
from workbench.core.ops.unary import (
    DIFFERENTIABLE,
    apply,
    conjugate,
    destination,
    unary,
    unary_gradient,
)


def _x(op: Any) -> Any:
    """The input, conjugated where it is complex: gradients of analytic functions take it so."""
    return api.conj(op.inputs[0])


unary(
    "Sin",
    np.sin,
    lambda op, dy: dy * cos(_x(op)),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -2.0], want=[0.0, 0.8414709848, -0.9092974268])],
)
unary(
    "Cos",
    np.cos,
    lambda op, dy: -dy * sin(_x(op)),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -2.0], want=[1.0, 0.5403023059, -0.4161468365])],
)
unary(
    "Tan",
    np.tan,
    lambda op, dy: dy / api.square(cos(_x(op))),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -0.5], want=[0.0, 1.557407725, -0.5463024898])],
)
unary(
    "Asin",
    np.arcsin,
    lambda op, dy: dy / api.sqrt(1 - api.square(_x(op))),
    DIFFERENTIABLE,
    samples=[sample([0.0, 0.5, -0.9], want=[0.0, 0.5235987756, -1.119769515])],
)
unary(
    "Acos",
    np.arccos,
    lambda op, dy: -dy / api.sqrt(1 - api.square(_x(op))),
    DIFFERENTIABLE,
    samples=[sample([0.0, 0.5, -0.9], want=[1.570796327, 1.047197551, 2.690565842])],
)
unary(
    "Atan",
    np.arctan,
    lambda op, dy: dy / (1 + api.square(_x(op))),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -2.0], want=[0.0, 0.7853981634, -1.107148718])],
)
unary(
    "Sinh",
    np.sinh,
    lambda op, dy: dy * cosh(_x(op)),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -2.0], want=[0.0, 1.175201194, -3.626860408])],
)
unary(
    "Cosh",
    np.cosh,
    lambda op, dy: dy * sinh(_x(op)),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -2.0], want=[1.0, 1.543080635, 3.762195691])],
)
unary(
    "Asinh",
    np.arcsinh,
    lambda op, dy: dy / cosh(api.conj(op.outputs[0])),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -2.0], want=[0.0, 0.8813735870, -1.443635475])],
)
unary(
    "Acosh",
    np.arccosh,
    lambda op, dy: dy / sinh(api.conj(op.outputs[0])),
    DIFFERENTIABLE,
    samples=[sample([1.5, 2.0], want=[0.9624236501, 1.316957897])],
)
unary(
    "Atanh",
    np.arctanh,
    lambda op, dy: dy / (1 - api.square(_x(op))),
    DIFFERENTIABLE,
    samples=[sample([0.0, 0.5, -0.9], want=[0.0, 0.5493061443, -1.472219490])],
)
unary(
    "Tanh",
    np.tanh,
    lambda op, dy: call("TanhGrad", None, y=op.outputs[0], dy=dy),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -20.0], want=[0.0, 0.7615941560, -1.0])],
)


@in_float32
def _tanh_grad(y: Any, dy: Any, *, out: Any = None) -> Any:
    y = conjugate(y)
    slope = np.square(y, out=destination(y, out, dy))
    np.subtract(1, slope, out=slope)
    return np.multiply(slope, dy, out=out)


def _tanh_grad_gradient(op: Any, dz: Any) -> Any:
    y, dy = api.conj(op.inputs[0]), op.inputs[1]
    return api.conj(dz) * dy * y * -2, call("TanhGrad", None, y=y, dy=dz)


unary_gradient(
    "TanhGrad",
    _tanh_grad,
    _tanh_grad_gradient,
    DIFFERENTIABLE,
    samples=[sample([0.5, -0.25], [4.0, 8.0], want=[3.0, 7.5])],
)


def sin(x: Any, name: str | None = None) -> Tensor:
    """The sine of x in radians."""
    return call("Sin", name, x=x)


def cos(x: Any, name: str | None = None) -> Tensor:
    """The cosine of x in radians."""
    return call("Cos", name, x=x)


def tan(x: Any, name: str | None = None) -> Tensor:
    """The tangent of x in radians."""
    return call("Tan", name, x=x)


def asin(x: Any, name: str | None = None) -> Tensor:
    """The angle in radians whose sine is x; NaN outside of [-1, 1]."""
    return call("Asin", name, x=x)


def acos(x: Any, name: str | None = None) -> Tensor:
    """The angle in radians whose cosine is x; NaN outside of [-1, 1]."""
    return call("Acos", name, x=x)


def atan(x: Any, name: str | None = None) -> Tensor:
    """The angle in radians whose tangent is x."""
    return call("Atan", name, x=x)


def sinh(x: Any, name: str | None = None) -> Tensor:
    """The hyperbolic sine."""
    return call("Sinh", name, x=x)


def cosh(x: Any, name: str | None = None) -> Tensor:
    """The hyperbolic cosine."""
    return call("Cosh", name, x=x)


def tanh(x: Any, name: str | None = None) -> Any:
    """The hyperbolic tangent; a SparseTensor gives a SparseTensor.

    >>> import workbench as tf
    >>> tf.tanh([0.0, 20.0]).eval().tolist()
    [0.0, 1.0]
    """
    return apply("Tanh", x, name)


def asinh(x: Any, name: str | None = None) -> Tensor:
    """The inverse of the hyperbolic sine."""
    return call("Asinh", name, x=x)


def acosh(x: Any, name: str | None = None) -> Tensor:
    """The inverse of the hyperbolic cosine; NaN below 1."""
    return call("Acosh", name, x=x)


def atanh(x: Any, name: str | None = None) -> Tensor:
    """The inverse of the hyperbolic tangent; NaN outside of [-1, 1]."""
    return call("Atanh", name, x=x)
