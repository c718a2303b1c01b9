"""Colours as brightness and two differences: the spaces of colour television."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api

#: What one unit of red, green and blue adds to each component.
_TO_YIQ = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
_TO_YUV = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
#: What one unit of each component adds to red, green and blue.
_FROM_YIQ = [
    [1.0, 1.0, 1.0],
    [0.95598634, -0.27201283, -1.10674021],
    [0.6208248, -0.64720424, 1.70423049],
]
_FROM_YUV = [
    [1.0, 1.0, 1.0],
    [0.0, -0.394642334, 2.03206185],
    [1.13988303, -0.58062185, 0.0],
]


def _conversion(name: str, matrix: list[list[float]], doc: str) -> Callable[[Any], Tensor]:
    def convert(images: Any) -> Tensor:
        with name_scope(None, name, [images]):
            images = convert_to_tensor(images, name="images")
            weights = np.array(matrix, images.dtype.as_numpy_dtype)
            result: Tensor = api.tensordot(images, weights, axes=[[-1], [0]])
            return result

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = doc
    return convert


def _described(what: str) -> str:
    return f"{what}\n\nThe last axis of `images`, which are floats, has the three components."


rgb_to_yiq = _conversion(
    "rgb_to_yiq",
    _TO_YIQ,
    _described("Red, green and blue as brightness (Y), orange (I) and purple (Q)."),
)
yiq_to_rgb = _conversion("yiq_to_rgb", _FROM_YIQ, _described("The inverse of `rgb_to_yiq`."))
rgb_to_yuv = _conversion(
    "rgb_to_yuv",
    _TO_YUV,
    _described("Red, green and blue as brightness (Y), blueness (U) and redness (V)."),
)
yuv_to_rgb = _conversion("yuv_to_rgb", _FROM_YUV, _described("The inverse of `rgb_to_yuv`."))
