"""Metrics as `tf.contrib.metrics` and slim have them: predictions first, "streaming" in front.

They are those of `tf.metrics` with other names and another order of arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.train.metrics import counts, curves, means


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


streaming_accuracy = _predictions_first(means.accuracy)
streaming_auc = _predictions_first(curves.auc)
streaming_false_negatives = _predictions_first(counts.false_negatives)
streaming_false_positives = _predictions_first(counts.false_positives)
streaming_mean = means.mean
streaming_mean_absolute_error = _predictions_first(means.mean_absolute_error)
streaming_mean_squared_error = _predictions_first(means.mean_squared_error)
streaming_precision = _predictions_first(counts.precision)
streaming_recall = _predictions_first(counts.recall)
streaming_root_mean_squared_error = _predictions_first(means.root_mean_squared_error)
streaming_true_positives = _predictions_first(counts.true_positives)
