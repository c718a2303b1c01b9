"""Metrics of predicted classes, averaged over the classes."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.confusion import confusion_matrix
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
from workbench.train.weights import broadcast_weights


def _vectors(labels: Any, predictions: Any, weights: Any) -> tuple[Tensor, Tensor, Any]:
    """Class numbers as vectors of int64, weights as a vector of float32 (or None)."""
    labels, predictions, weights = fitted(
        api.cast(labels, dtypes.int64), api.cast(predictions, dtypes.int64), weights
    )
    if weights is not None:
        # Weights spread over values of their own type: class numbers are integers.
        like = api.cast(predictions, dtypes.float32)
        weights = api.reshape(broadcast_weights(floats(weights), like), [-1])
    return api.reshape(labels, [-1]), api.reshape(predictions, [-1]), weights


def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The intersection over union of labels and predictions, averaged over the classes seen.

    Of a class it is true positives / (true positives + false positives + false negatives). The
    update gives the confusion matrix so far.

    >>> import workbench as tf
    >>> value, update = tf.metrics.mean_iou([0, 1, 1], [0, 1, 0], num_classes=2)
    >>> with tf.Session() as session:
    ...     session.run(tf.local_variables_initializer())
    ...     _ = session.run(update)
    ...     session.run(value)
    np.float32(0.5)
    """
    with variable_scope(name, "mean_iou", (predictions, labels, weights)):
        labels, predictions, weights = _vectors(labels, predictions, weights)
        total = metric_variable([num_classes, num_classes], "total_confusion_matrix", "float64")
        update = added(
            total,
            confusion_matrix(
                labels, predictions, num_classes, weights=weights, dtype=dtypes.float64
            ),
        )
        matrix = api.cast(total, dtypes.float32)
        common = api.diag_part(matrix)
        union = api.reduce_sum(matrix, 0) + api.reduce_sum(matrix, 1) - common
        seen = api.reduce_sum(api.cast(api.not_equal(union, 0), dtypes.float32))
        value = quotient(api.reduce_sum(quotient(common, union)), seen, "mean_iou")
        return published(value, update, metrics_collections, updates_collections)


def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The share of the examples of each class that are predicted right, averaged over the classes.

    The update gives the share of each class so far. A run fails for labels that are not below
    `num_classes`.
    """
    with variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        labels, predictions, weights = _vectors(labels, predictions, weights)
        total, count = (
            metric_variable([num_classes], "total"),
            metric_variable([num_classes], "count"),
        )
        ones = api.ones_like(labels, dtypes.float32) if weights is None else weights
        right = api.multiply(api.cast(api.equal(predictions, labels), dtypes.float32), ones)
        matches = api.scatter_nd(api.expand_dims(labels, 1), right, [num_classes])
        examples = api.scatter_nd(api.expand_dims(labels, 1), ones, [num_classes])
        new_total, new_count = added(total, matches), added(count, examples, after=[matches])
        value = api.reduce_mean(quotient(total, count), name="mean_accuracy")
        update = quotient(new_total, new_count, "update_op")
        return published(value, update, metrics_collections, updates_collections)
