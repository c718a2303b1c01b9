"""How losses of elements become one number: weights, reductions and the collection of losses."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import (
    add_to_collection,
    control_dependencies,
    get_collection,
    name_scope,
)
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.weights import assert_broadcastable


class Reduction:
    """How the weighted losses of elements are put together."""

    #: Not at all: the result has the shape of the losses.
    NONE = "none"
    #: Their sum.
    SUM = "weighted_sum"
    #: Their sum over the sum of the weights.
    MEAN = "weighted_mean"
    #: Their sum over the number of elements.
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    #: Their sum over the number of weights that are not zero.
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    #: Its other name.
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All of them."""
        return (
            cls.NONE,
            cls.SUM,
            cls.MEAN,
            cls.SUM_OVER_BATCH_SIZE,
            cls.SUM_BY_NONZERO_WEIGHTS,
        )

    @classmethod
    def validate(cls, key: str) -> None:
        """Raises ValueError unless `key` is one of them."""
        if key not in cls.all():
            raise ValueError(f"Invalid ReductionKey {key}: use one of {', '.join(cls.all())}.")


def safe_divide(numerator: Any, denominator: Any, name: str = "value") -> Tensor:
    """numerator / denominator, 0 where the denominator is 0."""
    nothing = api.equal(denominator, 0)
    divisor = api.where(nothing, api.ones_like(denominator), denominator)
    quotient: Tensor = api.where(
        nothing, api.zeros_like(numerator), api.div(numerator, divisor), name=name
    )
    return quotient


def inner_axes(tensor: Tensor) -> Any:
    """All axes but that of the examples."""
    if tensor.shape.ndims is None:
        return api.range(1, api.rank(tensor))
    return list(range(1, tensor.shape.ndims))


def count_present(losses: Tensor, weights: Tensor, per_batch: bool = False) -> Tensor:
    """How many elements have a weight other than 0, in all or for each example."""
    if weights.shape.ndims == 0 and not per_batch:
        size = api.cast(api.size(losses), losses.dtype)
        counted: Tensor = api.where(api.equal(weights, 0.0), api.zeros_like(size), size)
        return counted
    present = api.where(api.equal(weights, 0.0), api.zeros_like(weights), api.ones_like(weights))
    spread = api.multiply(present, api.ones_like(losses))
    if per_batch:
        counted = api.reduce_sum(spread, inner_axes(losses), keep_dims=True, name="num_present")
        return counted
    counted = api.reduce_sum(spread, name="num_present")
    return counted


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """The losses of elements times their weights, put together and added to the collection.

    `weights` is a scalar or broadcasts to `losses` with the same rank. Raises ValueError where it
    does not.

    >>> import workbench as tf
    >>> losses = tf.constant([1.0, 2.0, 6.0])
    >>> tf.losses.compute_weighted_loss(losses, [1.0, 1.0, 0.0]).eval()
    np.float32(1.5)
    """
    Reduction.validate(reduction)
    with name_scope(scope, "weighted_loss", [losses, weights]):
        losses = convert_to_tensor(losses)
        dtype = losses.dtype
        weights = api.cast(convert_to_tensor(weights), "float32")
        values = api.cast(losses, "float32")
        check = assert_broadcastable(weights, values)
        with control_dependencies([] if check is None else [check]):
            weighted = api.multiply(values, weights)
            if reduction != Reduction.NONE:
                weighted = _reduced(weighted, values, weights, reduction)
        loss: Tensor = api.cast(weighted, dtype)
        add_loss(loss, loss_collection)
        return loss


def _reduced(weighted: Tensor, values: Tensor, weights: Tensor, reduction: str) -> Tensor:
    total: Tensor = api.reduce_sum(weighted)
    if reduction == Reduction.MEAN:
        return safe_divide(total, api.reduce_sum(api.ones_like(values) * weights))
    if reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
        return safe_divide(total, count_present(values, weights))
    if reduction == Reduction.SUM_OVER_BATCH_SIZE:
        return safe_divide(total, api.cast(api.size(values), "float32"))
    return total


def add_loss(loss: Any, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Adds a loss to the collection of losses."""
    if loss_collection:
        add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """The collected losses, those of a name scope with `scope`."""
    return get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The collected regularization losses."""
    return get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(
    scope: str | None = None, name: str = "total_regularization_loss"
) -> Tensor:
    """The sum of the regularization losses, 0 when there are none."""
    losses = get_regularization_losses(scope)
    total: Tensor = api.add_n(losses, name=name) if losses else api.constant(0.0)
    return total


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Tensor:
    """The sum of the collected losses, with the regularization losses by default."""
    losses = get_losses()
    if add_regularization_losses:
        losses = losses + get_regularization_losses()
    total: Tensor = api.add_n(losses, name=name)
    return total
