"""`tf.contrib.framework.python`: the inner modules of it that public scripts name."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

_get, __dir__, __all__ = namespace(__name__, {}, {"ops": "workbench.api.contrib_framework_ops"})


def __getattr__(name: str) -> Any:
    return _get(name)
