"""Losses as `tf.contrib.losses` and slim have them: predictions first, a weighted mean of all.

They are those of `tf.losses` with other names and another order of arguments.
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.losses import functions, weighting


def _along(given: Any, losses: Any) -> Tensor:
    """Weights of the first axes only, such as one for each example, with axes for the others."""
    weights: Tensor = convert_to_tensor(given)
    own, rank = weights.shape.ndims, convert_to_tensor(losses).shape.ndims
    if not own or rank is None or own >= rank:
        return weights
    sizes = api.concat([api.shape(weights), [1] * (rank - own)], 0)
    wide: Tensor = api.reshape(weights, sizes)
    wide.set_shape(weights.shape.concatenate([1] * (rank - own)))
    return wide


@add_arg_scope
def compute_weighted_loss(losses: Any, weights: Any = 1.0, scope: Any = None) -> Any:
    """The sum of losses times weights by the number of losses that count.

    Weights may lack the last axes of the losses: one for each example, or one for all.
    """
    return weighting.compute_weighted_loss(losses, _along(weights, losses), scope)


@add_arg_scope
def add_loss(loss: Any, loss_collection: Any = "losses") -> None:
    """Adds a loss to a collection."""
    weighting.add_loss(loss, loss_collection)


@add_arg_scope
def absolute_difference(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: Any = None
) -> Any:
    """The mean of |predictions - labels|."""
    return functions.absolute_difference(labels, predictions, _along(weights, predictions), scope)


@add_arg_scope
def mean_squared_error(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: Any = None
) -> Any:
    """The mean of (predictions - labels)^2."""
    return functions.mean_squared_error(labels, predictions, _along(weights, predictions), scope)


@add_arg_scope
def mean_pairwise_squared_error(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: Any = None
) -> Any:
    """How much differences between pairs of predictions are off, squared, on average.

    Unlike `tf.losses`, pairs of an element with itself, which are never off, count in the mean.
    """
    return functions.pairwise_loss(
        labels, predictions, _along(weights, predictions), scope, GraphKeys.LOSSES, 0
    )


@add_arg_scope
def log_loss(
    predictions: Any,
    labels: Any = None,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: Any = None,
) -> Any:
    """The cross entropy of predicted probabilities."""
    return functions.log_loss(labels, predictions, _along(weights, predictions), epsilon, scope)


@add_arg_scope
def hinge_loss(logits: Any, labels: Any = None, scope: Any = None) -> Any:
    """The hinge loss of each element; not a mean, and not in a collection."""
    with api.name_scope(scope, "hinge_loss", [logits, labels]):
        signs = 2 * api.cast(labels, "float32") - 1
        return api.relu(1 - signs * logits)


@add_arg_scope
def cosine_distance(
    predictions: Any,
    labels: Any = None,
    axis: Any = None,
    weights: Any = 1.0,
    scope: Any = None,
    dim: Any = None,
) -> Any:
    """The mean of 1 - predictions . labels, of vectors of length 1 along `axis`."""
    return functions.cosine_distance(
        labels, predictions, dim if axis is None else axis, _along(weights, predictions), scope
    )


@add_arg_scope
def sigmoid_cross_entropy(
    logits: Any,
    multi_class_labels: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: Any = None,
) -> Any:
    """The cross entropy of independent classes."""
    return functions.sigmoid_cross_entropy(
        multi_class_labels, logits, weights, label_smoothing, scope
    )


@add_arg_scope
def softmax_cross_entropy(
    logits: Any,
    onehot_labels: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: Any = None,
) -> Any:
    """The cross entropy of classes that exclude each other."""
    return functions.softmax_cross_entropy(onehot_labels, logits, weights, label_smoothing, scope)


@add_arg_scope
def sparse_softmax_cross_entropy(
    logits: Any, labels: Any, weights: Any = 1.0, scope: Any = None
) -> Any:
    """The cross entropy of classes given by their numbers."""
    return functions.sparse_softmax_cross_entropy(labels, logits, weights, scope)
