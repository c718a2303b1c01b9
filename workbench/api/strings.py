"""`tf.strings`: what TensorFlow 1.12 and later call operations on strings, too."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench": """
        as_string join=string_join reduce_join split=string_split substr
        to_hash_bucket=string_to_hash_bucket to_hash_bucket_fast=string_to_hash_bucket_fast
        to_hash_bucket_strong=string_to_hash_bucket_strong to_number=string_to_number
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
