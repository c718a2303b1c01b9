"""Differences between pixels that are neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.static_shapes import size_or_dynamic

_DOWN = np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])
#: Sobel's filters, down and across [3, 3, 1, 2].
_SOBEL = np.stack([_DOWN, _DOWN.T], -1)[:, :, np.newaxis]


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """How much the next pixel below, and to the right, has more: (dy, dx).

    `image` is [batch, height, width, channels], as both results are; the last row of dy and the
    last column of dx are 0. Raises ValueError for other ranks.

    >>> import workbench as tf
    >>> dy, dx = tf.image.image_gradients(tf.reshape([1.0, 2.0, 4.0, 8.0], [1, 2, 2, 1]))
    >>> dy.eval().reshape(2, 2).tolist(), dx.eval().reshape(2, 2).tolist()
    ([[3.0, 6.0], [0.0, 0.0]], [[1.0, 0.0], [4.0, 0.0]])
    """
    image = convert_to_tensor(image, name="image")
    if image.shape.ndims != 4:
        raise ValueError(
            f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {image.shape}"
        )
    down, across = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    dy = api.pad(down, [[0, 0], [0, 1], [0, 0], [0, 0]])
    dx = api.pad(across, [[0, 0], [0, 0], [0, 1], [0, 0]])
    for each in (dy, dx):
        each.set_shape(image.shape)
    return dy, dx


def sobel_edges(image: Any) -> Tensor:
    """The edges of images [batch, height, width, channels], down and across, in a new last axis.

    Images are floats of 2 x 2 pixels or more, mirrored at their borders.
    """
    image = convert_to_tensor(image, name="image")
    channels = size_or_dynamic(image, 3)
    bank = api.tile(api.constant(_SOBEL, image.dtype.base_dtype), [1, 1, channels, 1])
    padded = api.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
    edges = api.nn.depthwise_conv2d(padded, bank, [1, 1, 1, 1], "VALID")
    result: Tensor = api.reshape(edges, api.concat([api.shape(image), [2]], 0))
    result.set_shape(image.shape.concatenate([2]))
    return result
