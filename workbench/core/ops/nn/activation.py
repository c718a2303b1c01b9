"""Activation functions and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import activation
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

#: Selu keeps zero mean and unit variance with these.
_SELU_SCALE = 1.0507009873554805
_SELU_SLOPE = 1.7580993408473768
_POINTS = [-3.0, -0.5, 0.5, 2.0, 7.0]
_SLOPES = [1.0, -2.0, 3.0, 0.5, 4.0]


def _pair(
    type_name: str,
    types: str,
    kernel: Callable[..., Any],
    grad_kernel: Callable[..., Any],
    curvature: Callable[[Any, Tensor], Any],
    of_output: bool,
    value: Callable[[Any], Any],
    slope: Callable[[Any], Any],
) -> None:
    """Declares an activation and its gradient operation.

    The gradient operation takes the output where `of_output`, else the input; `curvature(op, ddy)`
    gives its gradient by that. `value` and `slope` are the same in plain NumPy, for the samples.
    """
    grad_type = type_name + "Grad"
    what = "outputs" if type_name in ("Elu", "Selu") else "features"

    def gradient(op: Any, dy: Tensor) -> Tensor:
        point = op.outputs[0] if of_output else op.inputs[0]
        return call(grad_type, None, gradients=dy, **{what: point})

    def second(op: Any, ddy: Tensor) -> tuple[Tensor, Any]:
        point = op.inputs[1]
        return call(grad_type, None, gradients=ddy, **{what: point}), curvature(op, ddy)

    points = np.array(_POINTS)
    declare(
        type_name,
        inputs="features: T",
        outputs="activations: T",
        attrs=f"T: {types}",
        shape=shape_rules.first,
        kernel=kernel,
        gradient=gradient,
        elementwise=True,
        samples=[sample(_POINTS, want=value), sample([_POINTS], want=value, gradient=())],
    )
    at = value(points) if what == "outputs" else points
    declare(
        grad_type,
        inputs=f"gradients: T, {what}: T",
        outputs="backprops: T",
        attrs=f"T: {types}",
        shape=shape_rules.merged,
        kernel=grad_kernel,
        gradient=second,
        elementwise=True,
        samples=[sample(_SLOPES, at.tolist(), want=(np.array(_SLOPES) * slope(points)).tolist())],
    )


def _flat(op: Any, ddy: Tensor) -> Tensor:
    """The curvature of what is made of straight lines."""
    flat: Tensor = api.zeros_like(op.inputs[1])
    return flat


def _below_zero(op: Any, ddy: Tensor) -> Tensor:
    """The curvature of Elu and Selu by their output: their slope grows with it below zero."""
    dy, y = op.inputs
    bent: Tensor = api.where(y < 0, ddy * dy, api.zeros_like(y))
    return bent


def _softplus_curvature(op: Any, ddy: Any) -> Tensor:
    dy, x = op.inputs
    s = api.sigmoid(x)
    curvature: Tensor = ddy * dy * s * (1 - s)
    return curvature


def _softsign_curvature(op: Any, ddy: Any) -> Tensor:
    dy, x = op.inputs
    curvature: Tensor = -2 * ddy * dy * api.sign(x) / api.pow(1 + api.abs(x), 3)
    return curvature


_pair(
    "Relu",
    "{real}",
    activation.relu,
    activation.relu_grad,
    _flat,
    True,
    lambda x: np.where(x > 0, x, 0),
    lambda x: x > 0,
)
_pair(
    "Relu6",
    "{real}",
    activation.relu6,
    activation.relu6_grad,
    _flat,
    True,
    lambda x: np.clip(x, 0, 6),
    lambda x: (x > 0) & (x < 6),
)
_pair(
    "Elu",
    "{floating}",
    activation.elu,
    activation.elu_grad,
    _below_zero,
    True,
    lambda x: np.where(x > 0, x, np.exp(x) - 1),
    lambda x: np.where(x > 0, 1, np.exp(x)),
)
_pair(
    "Selu",
    "{floating}",
    activation.selu,
    activation.selu_grad,
    _below_zero,
    True,
    lambda x: np.where(x > 0, _SELU_SCALE * x, _SELU_SLOPE * (np.exp(x) - 1)),
    lambda x: np.where(x > 0, _SELU_SCALE, _SELU_SLOPE * np.exp(x)),
)
_pair(
    "Softplus",
    "{real}",
    activation.softplus,
    activation.softplus_grad,
    _softplus_curvature,
    False,
    lambda x: np.log(1 + np.exp(x)),
    lambda x: 1 / (1 + np.exp(-x)),
)
_pair(
    "Softsign",
    "{real}",
    activation.softsign,
    activation.softsign_grad,
    _softsign_curvature,
    False,
    lambda x: x / (1 + np.abs(x)),
    lambda x: 1 / (1 + np.abs(x)) ** 2,
)


def relu(features: Any, name: str | None = None) -> Tensor:
    """max(features, 0), element by element.

    >>> import workbench as tf
    >>> tf.nn.relu([-1.0, 2.0]).eval().tolist()
    [0.0, 2.0]
    """
    return call("Relu", name, features=features)


def relu6(features: Any, name: str | None = None) -> Tensor:
    """min(max(features, 0), 6), element by element."""
    with name_scope(name, "Relu6", [features]) as scope:
        features = convert_to_tensor(features, name="features")
        return call("Relu6", scope, features=features)


def elu(features: Any, name: str | None = None) -> Tensor:
    """exp(features) - 1 below zero, features above."""
    return call("Elu", name, features=features)


def selu(features: Any, name: str | None = None) -> Tensor:
    """The scaled elu that keeps activations at zero mean and unit variance."""
    return call("Selu", name, features=features)


def softplus(features: Any, name: str | None = None) -> Tensor:
    """log(exp(features) + 1), a smooth relu."""
    return call("Softplus", name, features=features)


def softsign(features: Any, name: str | None = None) -> Tensor:
    """features / (abs(features) + 1)."""
    return call("Softsign", name, features=features)


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Tensor:
    """max(alpha * features, features): a relu that lets a little through below zero.

    >>> import workbench as tf
    >>> tf.nn.leaky_relu([-2.0, 2.0], alpha=0.5).eval().tolist()
    [-1.0, 2.0]
    """
    with name_scope(name, "LeakyRelu", [features, alpha]) as scope:
        features = convert_to_tensor(features, name="features")
        if features.dtype.is_integer:
            features = api.cast(features, "float32")
        alpha = convert_to_tensor(alpha, dtype=features.dtype, name="alpha")
        result: Tensor = api.maximum(alpha * features, features, name=scope)
        return result


def crelu(features: Any, name: str | None = None, axis: int = -1) -> Tensor:
    """relu of `features` and of their negatives, joined along `axis`: twice as deep.

    >>> import workbench as tf
    >>> tf.nn.crelu([[-1.0, 2.0]]).eval().tolist()
    [[0.0, 2.0, 1.0, 0.0]]
    """
    with name_scope(name, "CRelu", [features]) as scope:
        features = convert_to_tensor(features, name="features")
        both = api.concat([features, -features], axis, name=scope)
        return relu(both)


def swish(features: Any, name: str | None = None) -> Tensor:
    """features * sigmoid(features).

    >>> import workbench as tf
    >>> tf.nn.swish([0.0, 100.0]).eval().tolist()
    [0.0, 100.0]
    """
    with name_scope(name, "swish", [features]) as scope:
        features = convert_to_tensor(features, name="features")
        result: Tensor = api.multiply(features, api.sigmoid(features), name=scope)
        return result
