"""What is done with gradients before they are applied: `tf.contrib.training` and slim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, summary
from workbench.core.platform import logging

#: Gradients and their variables.
Pairs = list[tuple[Any, Any]]


def with_values(gradient: Any, change: Callable[[Any], Any]) -> Any:
    """A gradient with other values: of a tensor, or of the slices of one."""
    if isinstance(gradient, IndexedSlices):
        return IndexedSlices(change(gradient.values), gradient.indices, gradient.dense_shape)
    return change(gradient)


def values_of(gradient: Any) -> Any:
    """The values of a gradient."""
    return gradient.values if isinstance(gradient, IndexedSlices) else gradient


def clip_gradient_norms(gradients_to_variables: Pairs, max_norm: float) -> Pairs:
    """Scales down each gradient that is longer than `max_norm`."""
    return [
        (None if g is None else with_values(g, lambda v: api.clip_by_norm(v, max_norm)), variable)
        for g, variable in gradients_to_variables
    ]


def clip_gradient_norms_fn(max_norm: float) -> Callable[[Pairs], Pairs]:
    """`clip_gradient_norms` as a function of the gradients alone."""
    return lambda pairs: clip_gradient_norms(pairs, max_norm)


def multiply_gradients(grads_and_vars: Pairs, gradient_multipliers: Mapping[Any, Any]) -> Pairs:
    """Multiplies the gradients of some variables.

    Args:
      grads_and_vars: a list of gradients and their variables.
      gradient_multipliers: factors, by variables or their names.

    Raises:
      ValueError: an argument is empty or of another type, or a gradient to multiply is None.
    """
    if not isinstance(grads_and_vars, list):
        raise ValueError("`grads_and_vars` must be a list.")
    if not gradient_multipliers:
        raise ValueError("`gradient_multipliers` is empty.")
    if not isinstance(gradient_multipliers, dict):
        raise ValueError("`gradient_multipliers` must be a dict.")
    multiplied: Pairs = []
    for gradient, variable in grads_and_vars:
        factor = gradient_multipliers.get(variable, gradient_multipliers.get(variable.op.name))
        if factor is not None:
            if gradient is None:
                raise ValueError(f"Requested multiple of `None` gradient of {variable.op.name}.")
            gradient = scaled(gradient, factor)
        multiplied.append((gradient, variable))
    return multiplied


def scaled(gradient: Any, factor: Any) -> Any:
    """A gradient multiplied with a number or tensor."""
    if not isinstance(factor, Tensor):
        factor = convert_to_tensor(factor, dtype=gradient.dtype)
    return with_values(gradient, lambda values: values * factor)


def add_gradients_summaries(grads_and_vars: Pairs) -> list[Any]:
    """Summaries of gradients: a histogram and the length of each."""
    summaries = []
    for gradient, variable in grads_and_vars:
        if gradient is None:
            logging.info("Var %s has no gradient", variable.op.name)
            continue
        values, name = values_of(gradient), variable.op.name
        summaries.append(summary.histogram(f"{name}/gradient", values))
        summaries.append(summary.scalar(f"{name}/gradient_norm", api.global_norm([values])))
    return summaries
