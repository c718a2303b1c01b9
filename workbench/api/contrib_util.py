"""`tf.contrib.util`: tensors as protocol buffers."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench": "make_ndarray make_tensor_proto",
    "workbench.core.graph.constants": "constant_value",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
