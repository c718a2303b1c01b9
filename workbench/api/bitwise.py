"""`tf.bitwise`: logic on the bits of integers."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.bitwise": """
        bitwise_and bitwise_or bitwise_xor invert left_shift right_shift
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
