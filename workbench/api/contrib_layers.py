"""`tf.contrib.layers`: regularizers."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.regularizers": """
        l1_regularizer l2_regularizer l1_l2_regularizer sum_regularizer apply_regularization
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
