"""`tf.metrics`: metrics over many batches."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.metrics.means": """
        mean mean_tensor accuracy mean_absolute_error mean_squared_error root_mean_squared_error
        mean_relative_error mean_cosine_distance percentage_below
        """,
    "workbench.train.metrics.counts": """
        true_positives true_negatives false_positives false_negatives precision recall
        """,
    "workbench.train.metrics.thresholds": """
        true_positives_at_thresholds true_negatives_at_thresholds false_positives_at_thresholds
        false_negatives_at_thresholds precision_at_thresholds recall_at_thresholds
        """,
    "workbench.train.metrics.curves": """
        auc sensitivity_at_specificity specificity_at_sensitivity
        """,
    "workbench.train.metrics.classes": "mean_iou mean_per_class_accuracy",
    "workbench.train.metrics.rankings": """
        recall_at_k recall_at_top_k sparse_precision_at_k precision_at_k=sparse_precision_at_k
        precision_at_top_k
        sparse_average_precision_at_k average_precision_at_k=sparse_average_precision_at_k
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
