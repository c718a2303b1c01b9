"""Metrics of predictions in [0, 1] that become yes or no by a threshold, for many thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.context import control_dependencies
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, checks
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.metrics.support import (
    Metric,
    added,
    fitted,
    floats,
    metric_variable,
    published,
)
from workbench.train.weights import broadcast_weights, weights_of_rank

#: A little more than nothing: keeps the quotients of the curves from dividing by 0.
EPSILON = 1e-7

#: What is counted: the truth values of the label and of the prediction.
KINDS = {
    "true_positives": (True, True),
    "false_negatives": (True, False),
    "true_negatives": (False, False),
    "false_positives": (False, True),
}

Counts = dict[str, Any]


def counts_at(
    labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any, kinds: Sequence[str]
) -> tuple[Counts, Counts]:
    """Variables with how often each of `kinds` was seen at each threshold, and their updates.

    A prediction is true where it is greater than the threshold. A run fails for predictions that
    are not in [0, 1].
    """
    predictions, labels = floats(predictions), api.cast(labels, dtypes.bool)
    labels, predictions, weights = fitted(labels, predictions, weights)
    limits = "predictions must be in [0, 1]"
    inside = [
        checks.assert_greater_equal(predictions, np.float32(0), message=limits),
        checks.assert_less_equal(predictions, np.float32(1), message=limits),
    ]
    with control_dependencies(inside):
        flat = api.reshape(predictions, [1, -1])
    above = api.cast(
        api.greater(flat, np.asarray(thresholds, np.float32).reshape(-1, 1)), dtypes.float32
    )
    truths: dict[bool, Tensor] = {True: api.reshape(api.cast(labels, dtypes.float32), [-1, 1])}
    truths[False] = 1.0 - truths[True]
    if weights is not None:
        spread = broadcast_weights(weights_of_rank(floats(weights), predictions), predictions)
        column = api.reshape(spread, [-1, 1])
        truths = {truth: api.multiply(values, column) for truth, values in truths.items()}
    sides = {True: above, False: 1.0 - above}
    values: Counts = {}
    updates: Counts = {}
    for kind in kinds:
        label, prediction = KINDS[kind]
        values[kind] = metric_variable([len(thresholds)], kind)
        seen = api.reshape(api.matmul(sides[prediction], truths[label]), [-1])
        updates[kind] = added(values[kind], seen)
    return values, updates


def _at_thresholds(
    kind: str,
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any,
    metrics_collections: Any,
    updates_collections: Any,
    name: str | None,
) -> Metric:
    with variable_scope(name, kind, (predictions, labels, weights)):
        values, updates = counts_at(labels, predictions, list(thresholds), weights, [kind])
        value = api.identity(values[kind])
        return published(value, updates[kind], metrics_collections, updates_collections)


def true_positives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """For each threshold how often the prediction was above it and the label true.

    >>> import workbench as tf
    >>> value, update = tf.metrics.true_positives_at_thresholds([1, 1], [0.3, 0.9], [0.2, 0.5])
    >>> with tf.Session() as session:
    ...     session.run(tf.local_variables_initializer())
    ...     session.run(update).tolist()
    [2.0, 1.0]
    """
    given = (labels, predictions, thresholds, weights, metrics_collections, updates_collections)
    return _at_thresholds("true_positives", *given, name)


def true_negatives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """For each threshold how often the prediction was not above it and the label false."""
    given = (labels, predictions, thresholds, weights, metrics_collections, updates_collections)
    return _at_thresholds("true_negatives", *given, name)


def false_positives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """For each threshold how often the prediction was above it though the label was false."""
    given = (labels, predictions, thresholds, weights, metrics_collections, updates_collections)
    return _at_thresholds("false_positives", *given, name)


def false_negatives_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """For each threshold how often the prediction was not above it though the label was true."""
    given = (labels, predictions, thresholds, weights, metrics_collections, updates_collections)
    return _at_thresholds("false_negatives", *given, name)


def _share(name: str, counts: Counts, beside: str) -> Tensor:
    hits, others = convert_to_tensor(counts["true_positives"]), counts[beside]
    share: Tensor = api.div(hits, EPSILON + hits + others, name=name)
    return share


def precision_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """For each threshold the share of the predictions above it whose label is true."""
    kinds = ("true_positives", "false_positives")
    with variable_scope(name, "precision_at_thresholds", (predictions, labels, weights)):
        values, updates = counts_at(labels, predictions, list(thresholds), weights, kinds)
        return published(
            _share("precision_value", values, kinds[1]),
            _share("precision_update_op", updates, kinds[1]),
            metrics_collections,
            updates_collections,
        )


def recall_at_thresholds(
    labels: Any,
    predictions: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """For each threshold the share of the true labels whose prediction is above it."""
    kinds = ("true_positives", "false_negatives")
    with variable_scope(name, "recall_at_thresholds", (predictions, labels, weights)):
        values, updates = counts_at(labels, predictions, list(thresholds), weights, kinds)
        return published(
            _share("recall_value", values, kinds[1]),
            _share("recall_update_op", updates, kinds[1]),
            metrics_collections,
            updates_collections,
        )
