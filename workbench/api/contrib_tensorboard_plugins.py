"""`tf.contrib.tensorboard.plugins`: the projector."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

_get, __dir__, __all__ = namespace(
    __name__, {}, {"projector": "workbench.api.contrib_tensorboard_projector"}
)


def __getattr__(name: str) -> Any:
    return _get(name)
