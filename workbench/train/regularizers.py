"""Regularizers: functions of a variable that give a loss, for `tf.get_variable` and layers.

They are those of `tf.contrib.layers`.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable
from typing import Any

from workbench.core.graph.context import get_collection, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api

Regularizer = Callable[[Any], Any]


def l1_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """`scale` times the sum of the absolute values, which drives weights to zero.

    A scale of 0.0 gives a regularizer that adds nothing; ValueError for a negative one, and for an
    integer.

    >>> import workbench as tf
    >>> float(l1_regularizer(0.5)(tf.constant([1.0, -3.0])).eval())
    2.0
    """
    _check(scale, "scale")

    def regularizer(weights: Any) -> Tensor | None:
        if scale == 0:
            return None
        with name_scope(scope, "l1_regularizer", [weights]) as full:
            return _scaled(scale, api.reduce_sum(api.abs(weights)), full)

    return regularizer


def l2_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """`scale` times half the sum of the squares, which keeps weights small.

    A scale of 0.0 gives a regularizer that adds nothing; ValueError for a negative one, and for an
    integer.

    >>> import workbench as tf
    >>> float(l2_regularizer(0.5)(tf.constant([1.0, -3.0])).eval())
    2.5
    """
    _check(scale, "scale")

    def regularizer(weights: Any) -> Tensor | None:
        if scale == 0:
            return None
        with name_scope(scope, "l2_regularizer", [weights]) as full:
            return _scaled(scale, api.l2_loss(weights), full)

    return regularizer


def l1_l2_regularizer(
    scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None
) -> Regularizer:
    """The sum of `l1_regularizer(scale_l1)` and `l2_regularizer(scale_l2)`."""
    _check(scale_l1, "scale_l1")
    _check(scale_l2, "scale_l2")
    scope = scope or "l1_l2_regularizer"
    if scale_l1 == 0:
        return l2_regularizer(scale_l2, scope)
    if scale_l2 == 0:
        return l1_regularizer(scale_l1, scope)
    both = sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope)
    assert both is not None
    return both


def sum_regularizer(
    regularizer_list: Iterable[Regularizer | None], scope: str | None = None
) -> Regularizer | None:
    """The sum of several regularizers; None where there is none among them."""
    parts = [part for part in regularizer_list if part is not None]
    if not parts:
        return None

    def regularizer(weights: Any) -> Tensor | None:
        with name_scope(scope, "sum_regularizer", [weights]) as full:
            losses = [loss for loss in (part(weights) for part in parts) if loss is not None]
            total: Tensor | None = api.add_n(losses, name=full) if losses else None
            return total

    return regularizer


def apply_regularization(
    regularizer: Regularizer, weights_list: Iterable[Any] | None = None
) -> Tensor:
    """The sum of the regularizer's losses for the weights, added to REGULARIZATION_LOSSES.

    `weights_list` is the collection WEIGHTS by default.
    """
    weights = list(weights_list or get_collection(GraphKeys.WEIGHTS))
    if not weights:
        raise ValueError("No weights to regularize.")
    with name_scope("get_regularization_penalty", values=weights) as scope:
        penalties = [regularizer(one) for one in weights]
        penalties = [api.constant(0.0) if loss is None else loss for loss in penalties]
        for loss in penalties:
            if loss.shape.ndims != 0:
                raise ValueError(
                    f"regularizer must return a scalar tensor, not one of shape {loss.shape}"
                )
        total: Tensor = api.add_n(penalties, name=scope)
        total.graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
        return total


def _check(scale: Any, name: str) -> None:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"{name} cannot be an integer: {scale}")
    if scale < 0:
        raise ValueError(f"Setting a {name} less than 0 on a regularizer: {scale}")


def _scaled(scale: float, loss: Any, name: str) -> Tensor:
    factor = convert_to_tensor(scale, dtype=loss.dtype.base_dtype, name="scale")
    result: Tensor = api.multiply(factor, loss, name=name)
    return result
