"""Gradient functions: those of the declarations, and those that users register."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.operation import Operation
from workbench.core.ops import registry
from workbench.core.ops.declaration import NotDifferentiable

Gradient = Callable[..., Any]
_registered: dict[str, Gradient | None] = {}


class RegisterGradient:
    """A decorator that registers the gradient function of an operation type.

    The function takes the operation and the gradients of its outputs, and returns the gradient of
    each input (None for none). With `graph.gradient_override_map` a registered name replaces the
    gradient of existing operations.

    >>> import workbench as tf
    >>> @tf.RegisterGradient("ClippedSquare")
    ... def clipped_square(op, dy):
    ...     return tf.clip_by_value(2.0 * dy * op.inputs[0], -1.0, 1.0)
    >>> with tf.get_default_graph().gradient_override_map({"Square": "ClippedSquare"}):
    ...     x = tf.constant(3.0)
    ...     y = tf.square(x)
    >>> tf.gradients(y, x)[0].eval()
    np.float32(1.0)
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, function: Gradient) -> Gradient:
        _register(self._op_type, function)
        return function


def NotDifferentiable_(op_type: str) -> None:
    """Declares that no gradient flows through an operation type."""
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    _register(op_type, None)


NoGradient = NotDifferentiable_


def _register(op_type: str, function: Gradient | None) -> None:
    if op_type in _registered:
        raise KeyError(f"Registering two gradients with name {op_type!r}")
    declaration = registry.lookup(op_type)
    own = None if declaration is None else declaration.gradient
    if function is not None and own is not None and not isinstance(own, NotDifferentiable):
        raise KeyError(f"Registering two gradients with name {op_type!r}")
    _registered[op_type] = function


def gradient_function(op: Operation) -> Gradient | None:
    """The gradient function of an operation; None when no gradient flows through it.

    Raises LookupError when the operation's type has no gradient.
    """
    own = op.attrs.get("_gradient_function")
    if own is not None and own in _local:
        return _local[own]
    name = op.attrs.get("_gradient_op_type", op.type)
    if name in _registered:
        return _registered[name]
    declaration = registry.lookup(name)
    if declaration is not None:
        if isinstance(declaration.gradient, NotDifferentiable):
            return None
        if declaration.gradient is not None:
            return declaration.gradient
    raise LookupError(
        f"No gradient defined for operation {op.name!r} (op type: {op.type}). Register one with "
        f"@tf.RegisterGradient({name!r}), or stop the gradient before it with tf.stop_gradient."
    )


_local: dict[str, Gradient] = {}


def register_local(function: Gradient) -> str:
    """Registers a function under a name of its own, for one operation."""
    name = f"custom_gradient_{len(_local)}"
    _local[name] = function
    return name
