"""Exponentials, logarithms and the logistic function."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.precision import in_float32
from workbench.core.ops import api
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import sample
from workbench.core.ops.unary import DIFFERENTIABLE, conjugate, destination, unary, unary_gradient

unary(
    "Exp",
    np.exp,
    lambda op, dy: dy * api.conj(op.outputs[0]),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1.0, -2.0], want=[1.0, 2.718281828, 0.1353352832])],
)
unary(
    "Expm1",
    np.expm1,
    lambda op, dy: dy * exp(api.conj(op.inputs[0])),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1e-8, 1.0], want=[0.0, 1e-8, 1.718281828])],
)
unary(
    "Log",
    np.log,
    lambda op, dy: dy / api.conj(op.inputs[0]),
    DIFFERENTIABLE,
    samples=[sample([1.0, 10.0, 0.5], want=[0.0, 2.302585093, -0.6931471806])],
)
unary(
    "Log1p",
    np.log1p,
    lambda op, dy: dy / (api.conj(op.inputs[0]) + 1),
    DIFFERENTIABLE,
    samples=[sample([0.0, 1e-8, 9.0], want=[0.0, 1e-8, 2.302585093])],
)


@in_float32
def _sigmoid(x: Any, *, out: Any = None) -> Any:
    # exp(-x) overflows to infinity for very negative x, and 1 / (1 + inf) is the right 0.
    result = destination(x, out)
    np.negative(x, out=result)
    np.exp(result, out=result)
    np.add(result, 1, out=result)
    return np.reciprocal(result, out=result)


unary(
    "Sigmoid",
    _sigmoid,
    lambda op, dy: call("SigmoidGrad", None, y=op.outputs[0], dy=dy),
    DIFFERENTIABLE,
    samples=[sample([0.0, 2.0, -200.0], want=[0.5, 0.8807970780, 0.0])],
)


@in_float32
def _sigmoid_grad(y: Any, dy: Any, *, out: Any = None) -> Any:
    y = conjugate(y)
    slope = np.subtract(1, y, out=destination(y, out, y, dy))
    np.multiply(slope, y, out=slope)
    return np.multiply(slope, dy, out=out)


def _sigmoid_grad_gradient(op: Any, dz: Any) -> Any:
    y, dy = api.conj(op.inputs[0]), op.inputs[1]
    scaled = api.conj(dz) * dy
    return scaled - scaled * y * 2, call("SigmoidGrad", None, y=y, dy=dz)


unary_gradient(
    "SigmoidGrad",
    _sigmoid_grad,
    _sigmoid_grad_gradient,
    DIFFERENTIABLE,
    samples=[sample([0.5, 0.25], [4.0, 8.0], want=[1.0, 1.5])],
)


def exp(x: Any, name: str | None = None) -> Tensor:
    """e to the power of x, element by element."""
    return call("Exp", name, x=x)


def expm1(x: Any, name: str | None = None) -> Tensor:
    """exp(x) - 1, accurate for small x."""
    return call("Expm1", name, x=x)


def log(x: Any, name: str | None = None) -> Tensor:
    """The natural logarithm: -inf at 0, NaN for negative real numbers."""
    return call("Log", name, x=x)


def log1p(x: Any, name: str | None = None) -> Tensor:
    """log(1 + x), accurate for small x."""
    return call("Log1p", name, x=x)


def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """1 / (1 + exp(-x)), element by element.

    >>> import workbench as tf
    >>> tf.sigmoid([0.0, 100.0]).eval().tolist()
    [0.5, 1.0]
    """
    return call("Sigmoid", name, x=x)


def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """log(sigmoid(x)) without loss for large negative x.

    >>> import workbench as tf
    >>> tf.log_sigmoid([-1000.0]).eval().tolist()
    [-1000.0]
    """
    with name_scope(name, "LogSigmoid", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return call("Neg", scope, x=api.softplus(-x))
