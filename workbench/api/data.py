"""`tf.data`: input pipelines."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.data.dataset": "Dataset",
    "workbench.core.ops.data.files": "TextLineDataset TFRecordDataset FixedLengthRecordDataset",
    "workbench.core.ops.data.iterators": "Iterator",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
