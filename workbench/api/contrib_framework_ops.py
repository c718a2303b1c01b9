"""`tf.contrib.framework.python.ops`: where TensorFlow 1 keeps the operations on sound."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

_get, __dir__, __all__ = namespace(__name__, {}, {"audio_ops": "workbench.core.ops.audio"})


def __getattr__(name: str) -> Any:
    return _get(name)
