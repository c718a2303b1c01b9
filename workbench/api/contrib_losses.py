"""`tf.contrib.losses`: losses that take the predictions first."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.contrib.losses": """
        absolute_difference add_loss compute_weighted_loss cosine_distance hinge_loss log_loss
        mean_pairwise_squared_error mean_squared_error sigmoid_cross_entropy softmax_cross_entropy
        sparse_softmax_cross_entropy
        """,
    "workbench.train.losses.weighting": """
        get_losses get_regularization_losses get_total_loss
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
