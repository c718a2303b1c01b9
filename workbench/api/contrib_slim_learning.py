"""`slim.learning`: training steps and the loop around them."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.contrib.gradients": """
        add_gradients_summaries clip_gradient_norms multiply_gradients
        """,
    "workbench.train.contrib.train_op": "create_train_op=create_slim_train_op",
    "workbench.train.contrib.learning": "train train_step",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
