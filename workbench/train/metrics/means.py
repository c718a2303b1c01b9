"""Metrics that are means over all batches."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.convert import convert_to_tensor
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
    same_shape,
)
from workbench.train.weights import broadcast_weights, weights_of_rank


def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The (weighted) mean of all values of all batches: a scalar, 0 before the first batch.

    Returns the value and the operation that takes a batch into account, like all metrics; they are
    kept in local variables. `weights` is a scalar, or has the rank of the values and in each axis
    their size or 1.

    >>> import workbench as tf
    >>> values = tf.placeholder(tf.float32, [None])
    >>> value, update = tf.metrics.mean(values)
    >>> with tf.Session() as session:
    ...     session.run(tf.local_variables_initializer())
    ...     for batch in ([1.0, 2.0], [6.0]):
    ...         _ = session.run(update, {values: batch})
    ...     session.run(value)
    np.float32(3.0)
    """
    with variable_scope(name, "mean", (values, weights)):
        values = floats(values)
        total, count = metric_variable([], "total"), metric_variable([], "count")
        if weights is None:
            number = api.cast(api.size(values), dtypes.float32)
        else:
            weights = broadcast_weights(weights_of_rank(floats(weights), values), values)
            values = api.multiply(values, weights)
            number = api.reduce_sum(weights)
        new_total = added(total, api.reduce_sum(values))
        # The count follows the values, so that a batch that fails is in neither of the two.
        new_count = added(count, number, after=[values])
        return published(
            quotient(total, count, "value"),
            quotient(new_total, new_count, "update_op"),
            metrics_collections,
            updates_collections,
        )


def mean_tensor(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The (weighted) mean of each element over all batches, in the shape of the values."""
    with variable_scope(name, "mean", (values, weights)):
        values = floats(values)
        shape = values.shape
        total, count = (
            metric_variable(shape, "total_tensor"),
            metric_variable(shape, "count_tensor"),
        )
        number = api.ones_like(values)
        if weights is not None:
            weights = broadcast_weights(weights_of_rank(floats(weights), values), values)
            values, number = api.multiply(values, weights), weights
        new_total = added(total, values)
        new_count = added(count, number, after=[values])
        return published(
            quotient(total, count, "value"),
            quotient(new_total, new_count, "update_op"),
            metrics_collections,
            updates_collections,
        )


def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """How often the predictions are the labels: a share of all batches, weighted or not."""
    labels, predictions, weights = fitted(labels, predictions, weights)
    if labels.dtype.base_dtype is not predictions.dtype.base_dtype:
        predictions = api.cast(predictions, labels.dtype.base_dtype)
    right = api.cast(api.equal(predictions, labels), dtypes.float32)
    return mean(right, weights, metrics_collections, updates_collections, name or "accuracy")


def mean_absolute_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of |predictions - labels|."""
    labels, predictions, weights = fitted(labels, predictions, weights)
    errors = api.abs(predictions - labels)
    name = name or "mean_absolute_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of (predictions - labels)^2."""
    labels, predictions, weights = fitted(labels, predictions, weights)
    errors = api.squared_difference(predictions, labels)
    name = name or "mean_squared_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


def root_mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The square root of the mean of (predictions - labels)^2."""
    name = name or "root_mean_squared_error"
    value, update = mean_squared_error(labels, predictions, weights, None, None, name)
    return published(api.sqrt(value), api.sqrt(update), metrics_collections, updates_collections)


def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The mean of |predictions - labels| / normalizer; the error is 0 where the normalizer is."""
    labels, predictions, weights = fitted(labels, predictions, weights)
    predictions, divisor = same_shape(predictions, convert_to_tensor(normalizer))
    errors = quotient(api.abs(labels - predictions), divisor)
    name = name or "mean_relative_error"
    return mean(errors, weights, metrics_collections, updates_collections, name)


def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """1 - the mean dot product along `dim`, of vectors that have unit length already.

    `weights` has size 1 along `dim`, or leaves out that axis where it is the last.
    """
    labels, predictions, weights = fitted(labels, predictions, weights)
    products = api.reduce_sum(api.multiply(predictions, labels), [dim], keep_dims=True)
    name = name or "mean_cosine_distance"
    value, update = mean(products, weights, None, None, name)
    return published(1.0 - value, 1.0 - update, metrics_collections, updates_collections)


def percentage_below(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """The share of the values that are less than `threshold`."""
    below: Tensor = api.cast(api.less(values, threshold), dtypes.float32)
    name = name or "percentage_below_threshold"
    return mean(below, weights, metrics_collections, updates_collections, name)
