"""Variables of a step that are used several times in it, and weights in several variables."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import api
from workbench.core.ops.state.shared_variables import get_variable


class StepVariables:
    """The variables of one call of a cell: each is asked of the variable scope once."""

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._known: dict[str, Any] = {}

    def get(self, name: str, shape: list[int], initializer: Any = None) -> Any:
        """The variable of a name."""
        if name not in self._known:
            self._known[name] = get_variable(name, shape, self._dtype, initializer)
        return self._known[name]

    def sharded(self, name: str, shape: list[int], shards: int) -> Any:
        """The weights of a name, see `sharded_weights`."""
        if name not in self._known:
            self._known[name] = sharded_weights(name, shape, self._dtype, shards)
        return self._known[name]


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
