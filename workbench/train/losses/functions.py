"""The losses themselves."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.losses.weighting import (
    Reduction,
    add_loss,
    compute_weighted_loss,
    count_present,
    inner_axes,
    safe_divide,
)
from workbench.train.weights import assert_broadcastable, weights_of_rank

_DEFAULT = Reduction.SUM_BY_NONZERO_WEIGHTS


def _floats(labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    if labels is None:
        raise ValueError("labels must not be None.")
    if predictions is None:
        raise ValueError("predictions must not be None.")
    labels = api.cast(convert_to_tensor(labels), "float32")
    predictions = api.cast(convert_to_tensor(predictions), "float32")
    try:
        predictions.shape.assert_is_compatible_with(labels.shape)
    except ValueError:
        raise ValueError(
            f"Shapes {predictions.shape} and {labels.shape} are incompatible: predictions and "
            "labels must have the same shape"
        ) from None
    return labels, predictions


def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """|predictions - labels|, weighted and reduced as `compute_weighted_loss` says."""
    with name_scope(scope, "absolute_difference", [predictions, labels, weights]) as scope:
        labels, predictions = _floats(labels, predictions)
        losses = api.abs(predictions - labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """(predictions - labels)^2, weighted and reduced as `compute_weighted_loss` says.

    >>> import workbench as tf
    >>> tf.losses.mean_squared_error([1.0, 2.0], [1.0, 4.0]).eval()
    np.float32(2.0)
    """
    with name_scope(scope, "mean_squared_error", [predictions, labels, weights]) as scope:
        labels, predictions = _floats(labels, predictions)
        losses = api.squared_difference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
    dim: int | None = None,
) -> Tensor:
    """1 - the dot product along an axis, of vectors that have unit length already."""
    axis = dim if axis is None else axis
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    with name_scope(scope, "cosine_distance_loss", [predictions, labels, weights]) as scope:
        labels, predictions = _floats(labels, predictions)
        losses = 1 - api.reduce_sum(predictions * labels, axis, keep_dims=True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """max(0, 1 - label * logit), with the labels 0 and 1 read as -1 and 1."""
    with name_scope(scope, "hinge_loss", [logits, labels, weights]) as scope:
        labels, logits = _floats(labels, logits)
        signs = 2 * labels - api.ones_like(labels)
        losses = api.relu(1.0 - signs * logits)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """error^2 / 2 for errors up to `delta`, linear beyond (Huber, 1964)."""
    with name_scope(scope, "huber_loss", [predictions, labels, weights]) as scope:
        labels, predictions = _floats(labels, predictions)
        error = api.abs(predictions - labels)
        quadratic = api.minimum(error, delta)
        losses = 0.5 * api.square(quadratic) + delta * (error - quadratic)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """The cross entropy of probabilities: -l log(p + epsilon) - (1 - l) log(1 - p + epsilon)."""
    with name_scope(scope, "log_loss", [predictions, labels, weights]) as scope:
        labels, predictions = _floats(labels, predictions)
        losses = -labels * api.log(predictions + epsilon) - (1 - labels) * api.log(
            1 - predictions + epsilon
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def mean_pairwise_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
) -> Tensor:
    """The mean squared difference of the pairwise differences within each example.

    The mean is over pairs of different elements; the examples' means are added up.
    """
    return pairwise_loss(labels, predictions, weights, scope, loss_collection, 1)


def pairwise_loss(
    labels: Any, predictions: Any, weights: Any, scope: Any, loss_collection: Any, alone: int
) -> Tensor:
    """The loss above, where each element makes pairs with all elements but `alone` of them: with
    all but itself for 1, and also with itself for 0."""
    with name_scope(scope, "mean_pairwise_squared_error", [predictions, labels, weights]):
        labels, predictions = _floats(labels, predictions)
        weights = api.cast(convert_to_tensor(weights), "float32")
        check = assert_broadcastable(weights, labels)
        with control_dependencies([] if check is None else [check]):
            difference = predictions - labels
        axes = inner_axes(difference)
        squares = api.reduce_sum(api.square(difference), axes, keep_dims=True)
        count = count_present(difference, weights, per_batch=True)
        first = 2.0 * safe_divide(squares, api.maximum(count - alone, 0))
        total = api.reduce_sum(difference, axes, keep_dims=True)
        second = 2.0 * safe_divide(
            api.square(total), api.maximum(api.multiply(count, count - alone), 0)
        )
        weighted = api.multiply(first - second, weights)
        loss = api.reduce_sum(weighted)
        present = api.reduce_sum(count)
        mean: Tensor = api.where(api.greater(present, 0), loss, api.zeros_like(loss), name="value")
        add_loss(mean, loss_collection)
        return mean


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """The cross entropy of independent labels; smoothing moves them towards 1/2."""
    values = [logits, multi_class_labels, weights]
    with name_scope(scope, "sigmoid_cross_entropy_loss", values) as scope:
        logits = convert_to_tensor(logits)
        labels = api.cast(convert_to_tensor(multi_class_labels), logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = api.sigmoid_cross_entropy_with_logits(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """The cross entropy of one-hot labels; smoothing moves them towards uniform ones."""
    values = [logits, onehot_labels, weights]
    with name_scope(scope, "softmax_cross_entropy_loss", values) as scope:
        logits = convert_to_tensor(logits)
        labels = api.cast(convert_to_tensor(onehot_labels), logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            classes = api.cast(api.shape(labels)[-1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        losses = api.softmax_cross_entropy_with_logits(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = _DEFAULT,
) -> Tensor:
    """The cross entropy of labels given as class numbers.

    A trailing axis of size 1 of labels and weights is removed, as in [batch, 1].
    """
    values = [logits, labels, weights]
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", values) as scope:
        logits = convert_to_tensor(logits)
        labels = convert_to_tensor(labels)
        weights = convert_to_tensor(weights)
        labels = _without_last_axis(labels, logits)
        weights = weights_of_rank(weights, labels, expands=False)
        losses = api.sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=logits, name="xentropy"
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def _without_last_axis(labels: Tensor, logits: Tensor) -> Tensor:
    """The labels without a last axis of size 1 that the logits do not have for them."""
    own, other = labels.shape.ndims, logits.shape.ndims
    if own is None or own != other or labels.shape[-1].value not in (None, 1):
        return labels
    squeezed: Tensor = api.squeeze(labels, [-1])
    return squeezed
