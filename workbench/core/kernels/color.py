"""Colour spaces, and adjustments of contrast, hue and saturation.

Colours are along the last axis. Hue, saturation and value are between 0 and 1.
"""

from __future__ import annotations

import numpy as np

from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import Array


def rgb_to_hsv(images: Array) -> Array:
    """Red, green and blue as hue, saturation and value.

    >>> rgb_to_hsv(np.array([0.5, 0.25, 0.25]))
    array([0. , 0.5, 0.5])

    Raises:
      InvalidArgumentError: the last axis has not 3 entries.
    """
    _check_colors("images", images, 1)
    hue, low, high = _hue_and_range(widen(images))
    with np.errstate(all="ignore"):
        saturation = np.where(high <= 0, 0, (high - low) / high).astype(high.dtype, copy=False)
    hue /= 6
    return delivered(np.stack([hue, saturation, high], axis=-1), images.dtype)


def hsv_to_rgb(images: Array) -> Array:
    """Hue, saturation and value as red, green and blue.

    >>> hsv_to_rgb(np.array([0.0, 0.5, 0.5]))
    array([0.5 , 0.25, 0.25])

    Raises:
      InvalidArgumentError: the last axis has not 3 entries.
    """
    _check_colors("images", images, 1)
    wide = widen(images)
    hue, saturation, value = wide[..., 0], wide[..., 1, None], wide[..., 2, None]
    with np.errstate(all="ignore"):
        shares = _shares(hue * 6)
        shares -= 1
        shares *= saturation
        shares += 1
        shares *= value
    return delivered(shares, images.dtype)


def adjust_contrastv2(images: Array, contrast_factor: Array) -> Array:
    """Move every pixel away from the mean of its channel, by ``contrast_factor``.

    ``images`` are ``(..., height, width, channels)``; each has means of its own.

    >>> adjust_contrastv2(np.array([1.0, 3.0]).reshape(1, 2, 1), np.array(2.0)).ravel()
    array([0., 4.])
    """
    if images.ndim < 3:
        raise invalid(
            f"images must have a height, a width and channels, got the shape {images.shape}"
        )
    wide = widen(images)
    with np.errstate(all="ignore"):
        mean = wide.mean(axis=-2, keepdims=True).mean(axis=-3, keepdims=True)
        result = wide - mean
        result *= wide.dtype.type(contrast_factor)
        result += mean
    return delivered(result, images.dtype)


def adjust_hue(images: Array, delta: Array) -> Array:
    """Turn the hue of every pixel by ``delta``, where 1 is a full turn."""
    _check_colors("images", images, 3)
    hue, low, high = _hue_and_range(widen(images))
    with np.errstate(all="ignore"):
        hue += hue.dtype.type(delta) * hue.dtype.type(6)
        np.mod(hue, hue.dtype.type(6), out=hue)
        # Between the least and the largest channel: so it works for numbers of any range.
        result = _shares(hue)
        result *= (high - low)[..., None]
        result += low[..., None]
    return delivered(result, images.dtype)


def adjust_saturation(images: Array, scale: Array) -> Array:
    """Multiply the saturation of every pixel by ``scale``, up to full saturation."""
    _check_colors("images", images, 3)
    changed = rgb_to_hsv(widen(images))
    with np.errstate(all="ignore"):
        saturation = changed[..., 1]
        saturation *= saturation.dtype.type(scale)
        np.clip(saturation, 0, 1, out=saturation)
    return delivered(hsv_to_rgb(changed), images.dtype)


def _hue_and_range(colors: Array) -> tuple[Array, Array, Array]:
    """The hue of each colour from 0 to 6, and its smallest and largest channel."""
    red, green, blue = (colors[..., channel] for channel in range(3))
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    number = colors.dtype.type
    with np.errstate(all="ignore"):
        span = high - low
        hue = np.where(
            red == high,
            green - blue,
            np.where(green == high, blue - red, red - green),
        )
        hue = hue / span
        hue += np.where(red == high, number(0), np.where(green == high, number(2), number(4)))
        hue = np.where(span <= 0, number(0), hue)
        hue = np.where(hue < 0, hue + number(6), hue)
    return hue, low, high


def _shares(hue: Array) -> Array:
    """How much of red, green and blue is in a hue from 0 to 6: each from 0 to 1."""
    result = np.empty((*hue.shape, 3), hue.dtype)
    result[..., 0] = np.abs(hue - 3) - 1
    result[..., 1] = 2 - np.abs(hue - 2)
    result[..., 2] = 2 - np.abs(hue - 4)
    return np.clip(result, 0, 1, out=result)


def _check_colors(name: str, images: Array, rank: int) -> None:
    if images.ndim < rank or images.shape[-1] != 3:
        raise invalid(
            f"{name} must have rank {rank} or more and 3 channels as the last axis, "
            f"got the shape {images.shape}"
        )
