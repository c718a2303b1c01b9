"""`tf.contrib.metrics` and `slim.metrics`: metrics that take the predictions first."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.contrib.metrics": """
        aggregate_metric_map aggregate_metrics streaming_accuracy streaming_auc
        streaming_false_negatives streaming_false_positives streaming_mean
        streaming_mean_absolute_error streaming_mean_squared_error streaming_precision
        streaming_recall streaming_root_mean_squared_error streaming_true_positives
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
