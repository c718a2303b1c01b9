"""`tf.compat`: bytes and text; and `tf.compat.v1`, which is `workbench` itself."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.platform.compat": """
        as_bytes as_str as_str_any as_text bytes_or_text_types complex_types integral_types
        path_to_str real_types
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES, {"v1": "workbench"})


def __getattr__(name: str) -> Any:
    return _get(name)
