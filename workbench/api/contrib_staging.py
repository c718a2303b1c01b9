"""`tf.contrib.staging`: places where tensors wait for a later step."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.queues.staging_area": "StagingArea",
    "workbench.core.ops.queues.map_staging_area": "MapStagingArea",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
