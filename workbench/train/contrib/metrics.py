"""Metrics as `tf.contrib.metrics` and slim have them: predictions first, "streaming" in front.

They are those of `tf.metrics` with other names and another order of arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32
from workbench.core.ops import api
from workbench.train.metrics import classes, counts, curves, means, rankings, thresholds
from workbench.train.weights import broadcast_weights


def aggregate_metrics(*value_update_tuples: tuple[Any, Any]) -> tuple[list[Any], list[Any]]:
    """The values of metrics, and the operations that update them.

    Raises:
      ValueError: there is no metric.
    """
    if not value_update_tuples:
        raise ValueError("Expected at least one value_tensor/update_op pair")
    values, updates = zip(*value_update_tuples, strict=True)
    return list(values), list(updates)


def aggregate_metric_map(
    names_to_tuples: Mapping[str, tuple[Any, Any]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of metrics by name, and the operations that update them by name.

    >>> import workbench as tf
    >>> values, updates = aggregate_metric_map({"mean": tf.metrics.mean(tf.constant([1.0]))})
    >>> list(values), list(updates)
    (['mean'], ['mean'])
    """
    return (
        {name: pair[0] for name, pair in names_to_tuples.items()},
        {name: pair[1] for name, pair in names_to_tuples.items()},
    )


def _predictions_first(metric: Callable[..., Any]) -> Callable[..., Any]:
    """A metric of labels and predictions that takes them in the older order."""

    def streaming(predictions: Any, labels: Any, *arguments: Any, **keywords: Any) -> Any:
        return metric(labels, predictions, *arguments, **keywords)

    streaming.__name__ = streaming.__qualname__ = f"streaming_{metric.__name__}"
    streaming.__doc__ = f"`tf.metrics.{metric.__name__}` with the predictions first."
    return streaming


def accuracy(predictions: Any, labels: Any, weights: Any = None, name: str | None = None) -> Any:
    """The share of a batch's predictions that equal its labels, float32; nothing is kept.

    Both are integers, bools or strings of one shape and dtype; ValueError for others.

    >>> import workbench as tf
    >>> tf.contrib.metrics.accuracy(tf.constant([1, 0, 1]), tf.constant([1, 1, 1])).eval()
    np.float32(0.6666667)
    """
    predictions, labels = convert_to_tensor(predictions), convert_to_tensor(labels)
    dtype = labels.dtype.base_dtype
    if not (dtype.is_integer or dtype.is_bool or dtype.name == "string"):
        raise ValueError(f"Labels should have bool, integer, or string dtype, not {dtype.name}.")
    if predictions.dtype.base_dtype is not dtype:
        raise ValueError(
            "Dtypes of predictions and labels should match. "
            f"Given: predictions ({predictions.dtype.name}) and labels ({dtype.name})"
        )
    predictions.shape.assert_is_compatible_with(labels.shape)
    with name_scope(name, "accuracy", [predictions, labels]):
        right = api.cast(api.equal(predictions, labels), float32)
        if weights is None:
            return api.reduce_mean(right)
        spread = broadcast_weights(weights, right)
        return api.reduce_sum(right * spread) / api.reduce_sum(spread)


streaming_accuracy = _predictions_first(means.accuracy)
streaming_auc = _predictions_first(curves.auc)
streaming_false_negatives = _predictions_first(counts.false_negatives)
streaming_false_negatives_at_thresholds = _predictions_first(
    thresholds.false_negatives_at_thresholds
)
streaming_false_positives = _predictions_first(counts.false_positives)
streaming_false_positives_at_thresholds = _predictions_first(
    thresholds.false_positives_at_thresholds
)
streaming_mean = means.mean
streaming_mean_absolute_error = _predictions_first(means.mean_absolute_error)
streaming_mean_cosine_distance = _predictions_first(means.mean_cosine_distance)
streaming_mean_iou = _predictions_first(classes.mean_iou)
streaming_mean_relative_error = _predictions_first(means.mean_relative_error)
streaming_mean_squared_error = _predictions_first(means.mean_squared_error)
streaming_mean_tensor = means.mean_tensor
streaming_percentage_less = means.percentage_below
streaming_precision = _predictions_first(counts.precision)
streaming_precision_at_thresholds = _predictions_first(thresholds.precision_at_thresholds)
streaming_recall = _predictions_first(counts.recall)
streaming_recall_at_thresholds = _predictions_first(thresholds.recall_at_thresholds)
streaming_root_mean_squared_error = _predictions_first(means.root_mean_squared_error)
streaming_sensitivity_at_specificity = _predictions_first(curves.sensitivity_at_specificity)
streaming_sparse_average_precision_at_k = _predictions_first(rankings.sparse_average_precision_at_k)
streaming_sparse_precision_at_k = _predictions_first(rankings.sparse_precision_at_k)
streaming_sparse_recall_at_k = _predictions_first(rankings.recall_at_k)
streaming_specificity_at_sensitivity = _predictions_first(curves.specificity_at_sensitivity)
streaming_true_negatives = _predictions_first(counts.true_negatives)
streaming_true_negatives_at_thresholds = _predictions_first(thresholds.true_negatives_at_thresholds)
streaming_true_positives = _predictions_first(counts.true_positives)
streaming_true_positives_at_thresholds = _predictions_first(thresholds.true_positives_at_thresholds)
