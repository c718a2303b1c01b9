"""`tf.layers`: parts of a network that make and keep their own variables."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.layers.base": "Layer",
    "workbench.train.layers.inputs": "InputSpec",
    "workbench.train.layers.input_layer": "Input",
    "workbench.train.layers.core": "Dense Dropout Flatten dense dropout flatten",
    "workbench.train.layers.convolutional": "Conv1D Conv2D Conv3D conv1d conv2d conv3d",
    "workbench.train.layers.transposed": """
        Conv2DTranspose Conv3DTranspose conv2d_transpose conv3d_transpose
        """,
    "workbench.train.layers.separable": "SeparableConv2D separable_conv2d",
    "workbench.train.layers.normalization": "BatchNormalization batch_normalization",
    "workbench.train.layers.pooling": """
        MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
        max_pooling1d max_pooling2d max_pooling3d average_pooling1d average_pooling2d
        average_pooling3d
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
