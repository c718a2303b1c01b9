"""`tf.nn`: neural network operations."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.nn.convolution": """
        conv1d conv2d conv2d_backprop_input conv2d_backprop_filter conv2d_transpose
        """,
    "workbench.core.ops.nn.convolution3d": "conv3d conv3d_backprop_filter_v2 conv3d_transpose",
    "workbench.core.ops.exponential": "sigmoid log_sigmoid",
    "workbench.core.ops.trigonometric": "tanh",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
