"""`tf.manip`: what moves the elements of tensors."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench": """
        batch_to_space_nd gather_nd reshape reverse roll scatter_nd space_to_batch_nd tile
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
