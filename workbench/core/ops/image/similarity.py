"""How alike two images are: their ratio of signal to noise, and of their structure.

Structural similarity is that of Wang, Bovik, Sheikh and Simoncelli (2004): brightness, contrast and
structure are compared in windows of 11 x 11 pixels that a bell curve weighs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.image.numbers import convert_image_dtype

_WINDOW = 11
#: What the bell curve of width 1.5 weighs, along one side of the window.
_BELL = np.exp(-0.5 * np.square((np.arange(_WINDOW) - (_WINDOW - 1) / 2) / 1.5))
_BELL /= _BELL.sum()
#: Shares of the range of values that keep quotients of nearly nothing in bounds.
_BRIGHTNESS_SHARE, _CONTRAST_SHARE = 0.01, 0.03
#: How much each scale counts, the finest first, as people judged it.
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """The ratio of the largest signal to the noise between images, in decibels.

    The last three axes of both are height, width and channels; `max_val` is the range of the
    pixels: 255 for uint8, 1.0 for most floats. Infinite for equal images.

    >>> import workbench as tf
    >>> a, b = tf.zeros([2, 2, 1]), tf.fill([2, 2, 1], 0.1)
    >>> round(float(tf.image.psnr(a, b, max_val=1.0).eval()), 3)
    20.0
    """
    with name_scope(name, "PSNR", [a, b]):
        first, second, largest = _floats(a, b, max_val)
        error = api.reduce_mean(api.squared_difference(first, second), [-3, -2, -1])
        decibels = 10.0 / math.log(10.0)
        ratio: Tensor = api.subtract(
            2.0 * decibels * api.log(largest), decibels * api.log(error), name="psnr"
        )
        return ratio


def ssim(img1: Any, img2: Any, max_val: Any) -> Tensor:
    """The structural similarity of images, 1 where they are equal; the mean over the channels.

    The last three axes of both are height and width, of 11 pixels or more, and channels; those
    before are broadcast. `max_val` is the range of the pixels.

    >>> import workbench as tf
    >>> image = tf.random_uniform([16, 16, 3])
    >>> tf.image.ssim(image, 0.0 * image, max_val=1.0).eval() < 0.1
    np.True_
    """
    with name_scope(None, "SSIM", [img1, img2]):
        similarity, _ = _by_channel(*_floats(img1, img2, max_val))
        mean: Tensor = api.reduce_mean(similarity, -1)
        return mean


def ssim_multiscale(
    img1: Any, img2: Any, max_val: Any, power_factors: Sequence[float] = _SCALES
) -> Tensor:
    """Structural similarity over several scales: each of half the size of the one before.

    `power_factors` weighs the scales, the finest first; images must have 11 pixels at the coarsest
    one. The other arguments are those of `ssim`. The result is in [0, 1].
    """
    with name_scope(None, "MS-SSIM", [img1, img2]):
        first, second, largest = _floats(img1, img2, max_val)
        factors = []
        for scale in range(len(power_factors)):
            if scale:
                first, second = _halved(first), _halved(second)
            similarity, structure = _by_channel(first, second, largest)
            is_last = scale == len(power_factors) - 1
            factors.append(api.nn.relu(similarity if is_last else structure))
        powers = np.array(power_factors, np.float32)
        together = api.reduce_prod(api.pow(api.stack(factors, -1), powers), -1)
        mean: Tensor = api.reduce_mean(together, -1)
        return mean


def _floats(a: Any, b: Any, max_val: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Both images and the range of their values as float32, checked to fit together."""
    first, second = convert_to_tensor(a), convert_to_tensor(b)
    largest = convert_image_dtype(api.cast(max_val, first.dtype.base_dtype), float32)
    checks = _checks(first, second)
    first, second = (convert_image_dtype(image, float32) for image in (first, second))
    if checks:
        with control_dependencies(checks):
            first = api.identity(first)
    return first, second, largest


def _checks(a: Tensor, b: Tensor) -> list[Any]:
    """Raises ValueError for images that do not fit; the check of a run where that is not known."""
    own, other = a.shape.with_rank_at_least(3), b.shape.with_rank_at_least(3)
    if own.ndims is not None and other.ndims is not None:
        own[-3:].assert_is_compatible_with(other[-3:])
        pairs = zip(reversed(own[:-3].as_list()), reversed(other[:-3].as_list()), strict=False)
        if any(None not in (x, y) and x != y and 1 not in (x, y) for x, y in pairs):
            raise ValueError(f"Two images are not compatible: {own} and {other}")
    if own.is_fully_defined() and other.is_fully_defined():
        return []
    sizes, others = api.shape(a)[-3:], api.shape(b)[-3:]
    return [api.Assert(api.reduce_all(api.equal(sizes, others)), [sizes, others], summarize=10)]


def _flat(images: Tensor) -> Any:
    """Images [..., height, width, channels] in one batch."""
    return api.reshape(images, api.concat([[-1], api.shape(images)[-3:]], 0))


def _unflat(flat: Any, images: Tensor) -> Any:
    """What was made of `_flat(images)`, in the batch axes of `images`."""
    return api.reshape(flat, api.concat([api.shape(images)[:-3], api.shape(flat)[1:]], 0))


def _weighed(images: Tensor) -> Any:
    """The weighed mean of every window."""
    flat = _flat(images)
    channels = api.shape(images)[-1]
    for shape in ([_WINDOW, 1, 1, 1], [1, _WINDOW, 1, 1]):
        side = api.constant(_BELL.reshape(shape), float32)
        bank = api.tile(side, api.stack([1, 1, channels, 1]))
        flat = api.nn.depthwise_conv2d(flat, bank, [1, 1, 1, 1], "VALID")
    return _unflat(flat, images)


def _by_channel(a: Tensor, b: Tensor, largest: Tensor) -> tuple[Any, Any]:
    """The similarity [..., channels], and that of contrast and structure alone."""
    sizes = [api.shape(image)[-3:-1] for image in (a, b)]
    checks = [
        api.Assert(api.reduce_all(api.greater_equal(each, _WINDOW)), [each, _WINDOW], summarize=8)
        for each in sizes
    ]
    with control_dependencies(checks):
        a = api.identity(a)
    dark = api.square(_BRIGHTNESS_SHARE * largest)
    plain = api.square(_CONTRAST_SHARE * largest)
    mean_a, mean_b = _weighed(a), _weighed(b)
    product = 2.0 * mean_a * mean_b
    squares = api.square(mean_a) + api.square(mean_b)
    brightness = (product + dark) / (squares + dark)
    covariance = 2.0 * _weighed(a * b) - product
    variances = _weighed(api.square(a) + api.square(b)) - squares
    structure = (covariance + plain) / (variances + plain)
    pixels = [-3, -2]
    return api.reduce_mean(brightness * structure, pixels), api.reduce_mean(structure, pixels)


def _halved(images: Tensor) -> Any:
    """Images of half the size; an odd last row or column counts twice."""
    flat = _flat(images)
    height, width = api.shape(images)[-3], api.shape(images)[-2]
    edges = api.stack([[0, 0], [0, height % 2], [0, width % 2], [0, 0]])
    padded = api.pad(flat, edges, mode="SYMMETRIC")
    return _unflat(api.nn.avg_pool(padded, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"), images)
