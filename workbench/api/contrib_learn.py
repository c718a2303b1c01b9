"""`tf.contrib.learn`: the processing of texts; the rest of it is a library on top."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

_get, __dir__, __all__ = namespace(
    __name__, {}, {"preprocessing": "workbench.api.contrib_learn_preprocessing"}
)


def __getattr__(name: str) -> Any:
    return _get(name)
