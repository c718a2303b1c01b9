"""Images with another number of channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# What is red, green and blue of grey, in 1/32768: as libpng, which TensorFlow uses, has it.
_GREY = np.array([9797, 19234, 3737], np.uint32)
_GREY_SHIFT = np.uint32(15)


def with_channels(image: NDArray[Any], channels: int) -> NDArray[Any]:
    """An image with 1, 3 or 4 channels, or with its own if ``channels`` is 0.

    >>> with_channels(np.array([[[255, 0, 0], [9, 9, 9]]], np.uint8), 1).tolist()
    [[[76], [9]]]
    """
    if image.ndim == 2:
        image = image[..., None]
    own = image.shape[2]
    if channels in (0, own):
        return image
    colors, opacity = (image[..., :-1], image[..., -1:]) if own in (2, 4) else (image, None)
    if channels == 1 and colors.shape[2] == 3:
        half = np.uint32(1 << 14 if image.dtype == np.uint16 else 0)
        return ((colors @ _GREY + half) >> _GREY_SHIFT).astype(image.dtype)[..., None]
    if channels > 1 and colors.shape[2] == 1:
        colors = np.repeat(colors, 3, axis=2)
    if channels < 4:
        return np.ascontiguousarray(colors)
    if opacity is None:
        opacity = np.full((*image.shape[:2], 1), np.iinfo(image.dtype).max, image.dtype)
    return np.concatenate([colors, opacity], axis=2)
