"""`tf.losses`: losses."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.losses.weighting": """
        Reduction compute_weighted_loss add_loss get_losses get_regularization_loss
        get_regularization_losses get_total_loss
        """,
    "workbench.train.losses.functions": """
        absolute_difference cosine_distance hinge_loss huber_loss log_loss
        mean_pairwise_squared_error mean_squared_error sigmoid_cross_entropy softmax_cross_entropy
        sparse_softmax_cross_entropy
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
