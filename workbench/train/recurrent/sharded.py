"""Weights in several variables, one below the other."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import api
from workbench.core.ops.state.shared_variables import get_variable


def sharded_weights(name: str, shape: list[int], dtype: Any, shards: int) -> Any:
    """Weights of a shape in variables `name`_0, `name`_1, ... of nearly equal height, as one.

    Raises ValueError where there are more of them than rows.
    """
    rows = shape[0]
    if shards > rows:
        raise ValueError(f"Too many shards: shape={shape}, num_shards={shards}")
    heights = [rows // shards + (i < rows % shards) for i in range(shards)]
    parts = [
        get_variable(f"{name}_{i}", [height, *shape[1:]], dtype=dtype)
        for i, height in enumerate(heights)
    ]
    return parts[0] if shards == 1 else api.concat(parts, 0)
