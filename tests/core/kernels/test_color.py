from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.core.kernels.oracles import FLOATS, Array, assert_close
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import color


def colors(shape: tuple[int, ...], dtype: Any) -> Array:
    """Random colours, greys and the corners of the cube among them."""
    rng = np.random.default_rng(0)
    result = rng.random((*shape, 3))
    flat = result.reshape(-1, 3)
    flat[:8] = [[r, g, b] for r in (0, 1) for g in (0, 1) for b in (0, 1)]
    flat[8:12] = [[0.5, 0.5, 0.5], [0.5, 0.5, 0.2], [0.2, 0.5, 0.5], [0.5, 0.2, 0.5]]
    return result.astype(dtype)


def each(function: Callable[[float, float, float], Any], images: Array) -> Array:
    wide = images.astype(np.float64)
    return np.apply_along_axis(lambda c: np.array(function(*c.tolist())), -1, wide)


@pytest.mark.parametrize("dtype", FLOATS)
def test_color_spaces_against_the_standard_library(dtype: Any) -> None:
    images = colors((3, 4, 5), dtype)
    assert_close(color.rgb_to_hsv(images), each(colorsys.rgb_to_hsv, images), dtype)
    assert_close(color.hsv_to_rgb(images), each(colorsys.hsv_to_rgb, images), dtype)
    assert color.rgb_to_hsv(images[0, 0, 0]).shape == (3,)


def test_there_and_back() -> None:
    images = colors((5, 6), np.float64)
    np.testing.assert_allclose(color.hsv_to_rgb(color.rgb_to_hsv(images)), images, atol=1e-15)


@pytest.mark.parametrize("delta", [-1.3, -0.2, 0.0, 0.4, 1.0])
def test_adjust_hue(delta: float) -> None:
    def turned(r: float, g: float, b: float) -> tuple[float, float, float]:
        h, s, v = colorsys.rgb_to_hsv(r, g, b)
        return colorsys.hsv_to_rgb((h + delta) % 1, s, v)

    images = colors((2, 3, 4), np.float64)
    assert_close(color.adjust_hue(images, np.float64(delta)), each(turned, images))
    # The hue does not depend on where black and white are.
    stretched = color.adjust_hue(images * 9 - 4, np.float64(delta))
    np.testing.assert_allclose(stretched, each(turned, images) * 9 - 4, atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 3.0])
def test_adjust_saturation(scale: float) -> None:
    def scaled(r: float, g: float, b: float) -> tuple[float, float, float]:
        h, s, v = colorsys.rgb_to_hsv(r, g, b)
        return colorsys.hsv_to_rgb(h, min(s * scale, 1), v)

    images = colors((2, 3, 4), np.float64)
    kept = images.copy()
    assert_close(color.adjust_saturation(images, np.float64(scale)), each(scaled, images))
    np.testing.assert_array_equal(images, kept)


@pytest.mark.parametrize("shape", [(3, 4, 2), (2, 3, 4, 3), (2, 2, 3, 2, 1)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_adjust_contrast(shape: tuple[int, ...], dtype: Any) -> None:
    images = np.random.default_rng(1).random(shape).astype(dtype)
    wide = images.astype(np.float64)
    expected = np.zeros(shape)
    for place in np.ndindex(*shape):
        *lead, _, _, channel = place
        pixels = wide[tuple(lead)][..., channel].ravel().tolist()
        mean = sum(pixels) / len(pixels)
        expected[place] = (wide[place] - mean) * 2.5 + mean
    result = color.adjust_contrastv2(images, np.array(2.5, np.float32))
    assert_close(result, expected, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_dtypes_are_kept(dtype: Any) -> None:
    images = colors((2, 3, 4), dtype)
    factor = np.array(0.3, np.float32)
    for kernel in (color.adjust_hue, color.adjust_saturation, color.adjust_contrastv2):
        result = kernel(images, factor)
        assert (result.dtype, result.shape) == (images.dtype, images.shape)


def test_not_a_number_spreads_over_its_pixel_only() -> None:
    images = colors((2, 2, 4), np.float64)
    images[0, 1, 2, 1] = np.nan
    for result in (
        color.rgb_to_hsv(images),
        color.adjust_hue(images, np.float64(0.1)),
        color.adjust_saturation(images, np.float64(2)),
    ):
        assert np.isnan(result[0, 1, 2]).any()
        assert np.count_nonzero(np.isnan(result).any(axis=-1)) == 1


def test_errors_are_in_the_users_terms() -> None:
    factor = np.array(1.0)
    for kernel in (color.rgb_to_hsv, color.hsv_to_rgb):
        with pytest.raises(InvalidArgumentError, match=r"3 channels.*got the shape \(2, 4\)"):
            kernel(np.zeros((2, 4)))
    for adjust in (color.adjust_hue, color.adjust_saturation):
        with pytest.raises(InvalidArgumentError, match="rank 3 or more"):
            adjust(np.zeros((2, 3)), factor)
    with pytest.raises(InvalidArgumentError, match="a height, a width and channels"):
        color.adjust_contrastv2(np.zeros((2, 3)), factor)
