"""Likeness of images, edges and colour spaces, against loops over pixels."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import evaluate

RANDOM = np.random.default_rng(8)


def _bell() -> Any:
    side = [np.exp(-((i - 5) ** 2) / 4.5) for i in range(11)]
    window = np.outer(side, side)
    return window / window.sum()


def _structure(a: Any, b: Any, most: float) -> tuple[float, float]:
    """Similarity and its part without brightness, of images of one channel: window by window."""
    window, found = _bell(), []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            mean_p, mean_q = (window * p).sum(), (window * q).sum()
            spread_p = (window * (p - mean_p) ** 2).sum()
            spread_q = (window * (q - mean_q) ** 2).sum()
            both = (window * (p - mean_p) * (q - mean_q)).sum()
            dark, plain = (0.01 * most) ** 2, (0.03 * most) ** 2
            brightness = (2 * mean_p * mean_q + dark) / (mean_p**2 + mean_q**2 + dark)
            contrast = (2 * both + plain) / (spread_p + spread_q + plain)
            found.append((brightness * contrast, contrast))
    similarity, contrast = np.mean(found, 0)
    return similarity, contrast


def _half(a: Any) -> Any:
    rows = np.concatenate([a, a[-1:]]) if a.shape[0] % 2 else a
    whole = np.concatenate([rows, rows[:, -1:]], 1) if a.shape[1] % 2 else rows
    return (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4


@pytest.mark.parametrize("known", [False, True])
def test_structural_similarity(known: bool) -> None:
    a = RANDOM.random((2, 13, 15, 3)).astype(np.float32)
    b = (a + RANDOM.normal(size=(1, 13, 15, 3)) * 0.2).astype(np.float32)
    first, second = (tf.placeholder_with_default(v, v.shape if known else None) for v in (a, b))
    found = evaluate(tf.image.ssim(first, second, 1.0))
    expected = [
        np.mean([_structure(a[i, ..., c], b[i, ..., c], 1.0)[0] for c in range(3)])
        for i in range(2)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_allclose(evaluate(tf.image.ssim(first, first, 1.0)), [1.0, 1.0], rtol=1e-6)


def test_structural_similarity_of_whole_numbers() -> None:
    a = RANDOM.integers(0, 256, (12, 12, 1), np.uint8)
    b = np.clip(a.astype(int) + RANDOM.integers(-30, 30, a.shape), 0, 255).astype(np.uint8)
    expected, _ = _structure(a[..., 0].astype(float), b[..., 0].astype(float), 255.0)
    assert evaluate(tf.image.ssim(a, b, 255)) == pytest.approx(expected, rel=1e-4)


def test_structural_similarity_over_scales() -> None:
    a = RANDOM.random((47, 45, 1)).astype(np.float32)
    b = (a + RANDOM.normal(size=a.shape) * 0.1).astype(np.float32)
    found = evaluate(tf.image.ssim_multiscale(a, b, 1.0, power_factors=(0.2, 0.3, 0.5)))
    p, q, expected = a[..., 0].astype(float), b[..., 0].astype(float), 1.0
    for scale, power in enumerate((0.2, 0.3, 0.5)):
        if scale:
            p, q = _half(p), _half(q)
        similarity, contrast = _structure(p, q, 1.0)
        expected *= (similarity if scale == 2 else contrast) ** power
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("dtype", "most"), [(np.uint8, 255), (np.float32, 1.0)])
def test_signal_to_noise(dtype: Any, most: float) -> None:
    a = (RANDOM.random((3, 4, 5, 2)) * most).astype(dtype)
    b = (RANDOM.random((1, 4, 5, 2)) * most).astype(dtype)
    error = ((a.astype(float) - b.astype(float)) ** 2).mean((1, 2, 3))
    expected = 10 * np.log10(most**2 / error)
    np.testing.assert_allclose(evaluate(tf.image.psnr(a, b, most)), expected, rtol=1e-5)
    assert evaluate(tf.image.psnr(a[0], a[0], most)) == np.inf


def test_images_that_cannot_be_compared() -> None:
    image = tf.zeros([2, 12, 12, 3])
    for other in (tf.zeros([12, 11, 3]), tf.zeros([3, 12, 12, 3]), tf.zeros([12, 12])):
        with pytest.raises(ValueError, match="compatible|rank"):
            tf.image.ssim(image, other, 1.0)
    with pytest.raises(ValueError, match="caused by subtracting 11 from 10"):
        tf.image.ssim(tf.zeros([10, 12, 3]), tf.zeros([10, 12, 3]), 1.0)
    small = tf.placeholder_with_default(np.zeros([10, 12, 3]), [None, None, 3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="assertion failed"):
        evaluate(tf.image.ssim(small, small, 1.0))
    unknown = tf.placeholder(tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="assertion failed"):
        evaluate(tf.image.psnr(image, unknown, 1.0), {unknown: np.zeros([12, 11, 3])})


@pytest.mark.parametrize("known", [False, True])
def test_edges(known: bool) -> None:
    values = RANDOM.random((2, 4, 5, 3))
    image = tf.placeholder_with_default(values, values.shape if known else [None] * 4)
    dy, dx, edges = evaluate((*tf.image.image_gradients(image), tf.image.sobel_edges(image)))
    assert edges.shape == (2, 4, 5, 3, 2)
    around = [1, 0, 1, 2, 3, 4, 3]
    for place in np.ndindex(2, 4, 5, 3):
        i, y, x, c = place
        assert dy[place] == (values[i, y + 1, x, c] - values[place] if y < 3 else 0.0)
        assert dx[place] == (values[i, y, x + 1, c] - values[place] if x < 4 else 0.0)
        rows, columns = [1, 0, 1, 2, 3, 2][y : y + 3], around[x : x + 3]
        part = values[i][np.ix_(rows, columns)][..., c]
        down = part[2] @ [1, 2, 1] - part[0] @ [1, 2, 1]
        across = part[:, 2] @ [1, 2, 1] - part[:, 0] @ [1, 2, 1]
        np.testing.assert_allclose(edges[place], [down, across], atol=1e-12)
    with pytest.raises(ValueError, match="expects a 4D tensor"):
        tf.image.image_gradients(tf.zeros([4, 5, 3]))


def test_colours_of_television() -> None:
    colours = RANDOM.random((4, 5, 3))
    yiq, yuv = evaluate([tf.image.rgb_to_yiq(colours), tf.image.rgb_to_yuv(colours)])
    for place in np.ndindex(4, 5):
        y, i, q = colorsys.rgb_to_yiq(*colours[place])
        # The standard library rounds the weights to two digits.
        np.testing.assert_allclose(yiq[place], [y, i, q], atol=6e-3)
    red, green, blue = np.moveaxis(colours, -1, 0)
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    parts = [brightness, 0.492111 * (blue - brightness), 0.877283 * (red - brightness)]
    np.testing.assert_allclose(yuv, np.stack(parts, -1), atol=1e-5)
    back = evaluate([tf.image.yiq_to_rgb(yiq), tf.image.yuv_to_rgb(yuv)])
    for each in back:
        np.testing.assert_allclose(each, colours, atol=1e-4)
