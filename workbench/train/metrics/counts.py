"""Metrics that count hits and misses of yes-or-no predictions."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.metrics.support import (
    Metric,
    added,
    fitted,
    floats,
    metric_variable,
    published,
    quotient,
)
from workbench.train.weights import broadcast_weights, weights_of_rank


def _counted(
    label: bool,
    prediction: bool,
    labels: Any,
    predictions: Any,
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
    default_name: str,
) -> Metric:
    """How often a label and a prediction with these two truth values came together."""
    with variable_scope(name, default_name, (predictions, labels, weights)):
        labels, predictions, weights = fitted(_truth(labels), _truth(predictions), weights)
        found = api.logical_and(_as(labels, label), _as(predictions, prediction))
        count = metric_variable([], "count")
        hits = api.cast(found, dtypes.float32)
        if weights is not None:
            weights = weights_of_rank(floats(weights), hits)
            hits = api.multiply(hits, broadcast_weights(weights, hits))
        update = added(count, api.reduce_sum(hits))
        return published(api.identity(count), update, metrics_collections, updates_collections)


def _truth(value: Any) -> Tensor:
    truth: Tensor = api.cast(value, dtypes.bool)
    return truth


def _as(tensor: Tensor, truth: bool) -> Tensor:
    return tensor if truth else api.logical_not(tensor)


def true_positives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How often (weighted) the prediction was true and so was the label.

    Labels and predictions of any type are read as truth values.

    >>> import workbench as tf
    >>> value, update = tf.metrics.true_positives([1, 1, 0], [1, 0, 1])
    >>> with tf.Session() as session:
    ...     session.run(tf.local_variables_initializer())
    ...     session.run(update)
    np.float32(1.0)
    """
    given = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _counted(True, True, *given, "true_positives")


def true_negatives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How often (weighted) the prediction was false and so was the label."""
    given = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _counted(False, False, *given, "true_negatives")


def false_positives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How often (weighted) the prediction was true but the label false."""
    given = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _counted(False, True, *given, "false_positives")


def false_negatives(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How often (weighted) the prediction was false but the label true."""
    given = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _counted(True, False, *given, "false_negatives")


def precision(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The share of the true predictions that are right; 0 when there are none."""
    with variable_scope(name, "precision", (predictions, labels, weights)):
        labels, predictions, weights = fitted(_truth(labels), _truth(predictions), weights)
        hits, new_hits = true_positives(labels, predictions, weights)
        others, new_others = false_positives(labels, predictions, weights)
        return published(
            quotient(hits, hits + others, "value"),
            quotient(new_hits, new_hits + new_others, "update_op"),
            metrics_collections,
            updates_collections,
        )


def recall(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The share of the true labels that were predicted; 0 when there are none."""
    with variable_scope(name, "recall", (predictions, labels, weights)):
        labels, predictions, weights = fitted(_truth(labels), _truth(predictions), weights)
        hits, new_hits = true_positives(labels, predictions, weights)
        others, new_others = false_negatives(labels, predictions, weights)
        return published(
            quotient(hits, hits + others, "value"),
            quotient(new_hits, new_hits + new_others, "update_op"),
            metrics_collections,
            updates_collections,
        )
