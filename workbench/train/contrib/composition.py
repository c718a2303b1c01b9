"""Layers upon layers: `tf.contrib.layers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.arg_scope import add_arg_scope


def _scope_of(layer: Any, default: str) -> str:
    """What to call the scopes of a layer: as its function is called."""
    return str(getattr(getattr(layer, "func", layer), "__name__", default))


@add_arg_scope
def repeat(
    inputs: Any, repetitions: int, layer: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Applies a layer again and again, each time with variables of its own.

    >>> import workbench as tf
    >>> layers = tf.contrib.layers
    >>> y = layers.repeat(tf.ones([1, 2]), 2, layers.fully_connected, 3, scope="fc")
    >>> [v.op.name for v in tf.trainable_variables()][::2]
    ['fc/fc_1/weights', 'fc/fc_2/weights']
    """
    scope = kwargs.pop("scope", None)
    with variable_scope(scope, "Repeat", [inputs]):
        outputs = convert_to_tensor(inputs)
        name = _scope_of(layer, "repeat") if scope is None else scope
        for number in range(1, repetitions + 1):
            outputs = layer(outputs, *args, **{**kwargs, "scope": f"{name}_{number}"})
        return outputs


@add_arg_scope
def stack(inputs: Any, layer: Callable[..., Any], stack_args: Sequence[Any], **kwargs: Any) -> Any:
    """Applies a layer once for each of `stack_args`: an argument, or a list or tuple of them.

    >>> import workbench as tf
    >>> layers = tf.contrib.layers
    >>> layers.stack(tf.ones([1, 2]), layers.fully_connected, [32, 64], scope="fc").shape.as_list()
    [1, 64]
    """
    scope = kwargs.pop("scope", None)
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError("stack_args need to be a list or tuple")
    with variable_scope(scope, "Stack", [inputs]):
        outputs = convert_to_tensor(inputs)
        name = _scope_of(layer, "stack") if scope is None else scope
        for number, given in enumerate(stack_args, start=1):
            arguments = given if isinstance(given, (list, tuple)) else [given]
            outputs = layer(outputs, *arguments, **{**kwargs, "scope": f"{name}_{number}"})
        return outputs
