"""Colours, scales and boxes of images, and images as files."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import evaluate

RANDOM = np.random.RandomState(0)
COLORS = RANDOM.random_sample((4, 5, 3)).astype(np.float32)


def each(function: Any, colors: Any) -> Any:
    return np.array([function(*c) for c in colors.reshape(-1, 3)]).reshape(colors.shape)


def test_colour_spaces() -> None:
    hsv = evaluate(tf.image.rgb_to_hsv(COLORS))
    np.testing.assert_allclose(hsv, each(colorsys.rgb_to_hsv, COLORS), atol=1e-5)
    np.testing.assert_allclose(evaluate(tf.image.hsv_to_rgb(hsv)), COLORS, atol=1e-5)
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 4 and 3"):
        tf.image.rgb_to_hsv(tf.ones([2, 4]))


@pytest.mark.parametrize("delta", [0.3, -0.2, 0.0])
def test_hue(delta: float) -> None:
    def turned(r: float, g: float, b: float) -> tuple[float, float, float]:
        h, s, v = colorsys.rgb_to_hsv(r, g, b)
        return colorsys.hsv_to_rgb((h + delta) % 1, s, v)

    found = evaluate(tf.image.adjust_hue(COLORS, delta))
    np.testing.assert_allclose(found, each(turned, COLORS), atol=1e-5)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.7])
def test_saturation_and_contrast(factor: float) -> None:
    def stronger(r: float, g: float, b: float) -> tuple[float, float, float]:
        h, s, v = colorsys.rgb_to_hsv(r, g, b)
        return colorsys.hsv_to_rgb(h, min(s * factor, 1), v)

    found = evaluate(tf.image.adjust_saturation(COLORS, factor))
    np.testing.assert_allclose(found, each(stronger, COLORS), atol=1e-5)
    mean = COLORS.mean((0, 1))
    found = evaluate(tf.image.adjust_contrast(COLORS, factor))
    np.testing.assert_allclose(found, (COLORS - mean) * factor + mean, atol=1e-5)


def test_brightness_and_gamma() -> None:
    x = np.array([[[0], [100], [250]]], np.uint8)
    assert evaluate(tf.image.adjust_brightness(x, 0.2)).ravel().tolist() == [51, 151, 255]
    assert evaluate(tf.image.adjust_brightness(x, -0.5)).ravel().tolist() == [0, 0, 122]
    np.testing.assert_allclose(
        evaluate(tf.image.adjust_gamma(x, 2.0)).ravel(), [0, 100**2 / 255, 250**2 / 255], rtol=1e-5
    )
    with pytest.raises(ValueError, match="Gamma should be a non-negative real number"):
        tf.image.adjust_gamma(x, -1)
    gamma = tf.placeholder(tf.float32, [])
    y = tf.image.adjust_gamma(x, gamma)
    with pytest.raises(tf.errors.InvalidArgumentError, match="non-negative"):
        evaluate(y, {gamma: -1.0})


def test_greys() -> None:
    gray = evaluate(tf.image.rgb_to_grayscale(COLORS))
    np.testing.assert_allclose(
        gray[..., 0], COLORS @ np.array([0.2989, 0.587, 0.114], np.float32), rtol=1e-5
    )
    back = tf.image.grayscale_to_rgb(gray)
    assert back.shape.as_list() == [4, 5, 3]
    np.testing.assert_array_equal(evaluate(back), np.repeat(gray, 3, -1))
    unknown = tf.placeholder(tf.float32)
    grown = evaluate(tf.image.grayscale_to_rgb(unknown), {unknown: gray})
    np.testing.assert_array_equal(grown, np.repeat(gray, 3, -1))


@pytest.mark.parametrize(
    "source", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64]
)
@pytest.mark.parametrize("target", [np.uint8, np.int16, np.float32, np.float64])
def test_scales_of_types(source: Any, target: Any) -> None:
    top = 1.0 if np.dtype(source).kind == "f" else np.iinfo(source).max
    x = (np.array([0.0, 0.25, 1.0]) * top).astype(source)
    y = evaluate(tf.image.convert_image_dtype(x, target, saturate=True))
    assert y.dtype == target
    goal = 1.0 if np.dtype(target).kind == "f" else np.iinfo(target).max
    share = np.array([0.0, 0.25, 1.0])
    np.testing.assert_allclose(y.astype(float) / goal, share, atol=0.01)


def test_random_adjustments() -> None:
    x = tf.constant(COLORS)
    for make in (
        lambda: tf.image.random_brightness(x, 0.2, seed=1),
        lambda: tf.image.random_contrast(x, 0.5, 1.5, seed=1),
        lambda: tf.image.random_saturation(x, 0.5, 1.5, seed=1),
        lambda: tf.image.random_hue(x, 0.2, seed=1),
    ):
        with tf.Session() as session:
            y = make()
            first, second = session.run(y), session.run(y)
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(evaluate(y), first)
    brighter = evaluate(tf.image.random_brightness(x, 0.2, seed=1)) - COLORS
    assert np.ptp(brighter) < 1e-5 and abs(brighter.mean()) <= 0.2
    for function, arguments, problem in (
        (tf.image.random_brightness, (-1,), "max_delta must be non-negative"),
        (tf.image.random_hue, (0.6,), "max_delta must be <= 0.5"),
        (tf.image.random_contrast, (1.0, 0.5), "upper must be > lower"),
        (tf.image.random_saturation, (-1.0, 0.5), "lower must be non-negative"),
    ):
        with pytest.raises(ValueError, match=problem):
            function(x, *arguments)


def test_standardisation_and_variation() -> None:
    batch = np.stack([COLORS, COLORS * 2 + 1, np.zeros_like(COLORS)])
    y = evaluate(tf.image.per_image_standardization(batch))
    np.testing.assert_allclose(y.mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.std((1, 2, 3)), [1, 1, 0], atol=1e-4)
    single = evaluate(tf.image.per_image_standardization((COLORS * 255).astype(np.uint8)))
    assert single.dtype == np.float32 and abs(single.std() - 1) < 1e-4
    expected = abs(np.diff(batch, axis=1)).sum((1, 2, 3)) + abs(np.diff(batch, axis=2)).sum(
        (1, 2, 3)
    )
    np.testing.assert_allclose(evaluate(tf.image.total_variation(batch)), expected, rtol=1e-5)
    np.testing.assert_allclose(evaluate(tf.image.total_variation(COLORS)), expected[0], rtol=1e-5)


# -- boxes ---------------------------------------------------------------------------------------


def test_suppression_by_score() -> None:
    boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [2.0, 2.0, 3.0, 3.0]]
    scores = [0.7, 0.9, 0.1]
    function = tf.image.non_max_suppression
    assert evaluate(function(boxes, scores, 5, score_threshold=0.5)).tolist() == [1]
    assert evaluate(function(boxes, scores, 2, iou_threshold=0.95)).tolist() == [1, 0]
    assert function(boxes, scores, 5, 0.5, "kept").op.name == "kept"
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 2"):
        function(boxes, scores[:2], 5)


def test_random_parts() -> None:
    sample = tf.image.sample_distorted_bounding_box(
        [40, 50, 3],
        [[[0.2, 0.2, 0.8, 0.8]]],
        min_object_covered=0.5,
        aspect_ratio_range=[0.5, 2.0],
        area_range=[0.2, 0.9],
        seed=3,
    )
    assert [t.shape.as_list() for t in sample] == [[3], [3], [1, 1, 4]]
    with tf.Session() as session:
        for _ in range(10):
            begin, size, box = session.run(list(sample))
            rows, columns = size[:2]
            assert 0.19 <= rows * columns / 2000 <= 0.91 and 0.48 <= columns / rows <= 2.1
            assert begin[2] == 0 and size[2] == -1
            np.testing.assert_allclose(
                box[0, 0],
                [begin[0] / 40, begin[1] / 50, (begin[0] + rows) / 40, (begin[1] + columns) / 50],
                rtol=1e-6,
            )
            covered = np.prod(
                np.minimum(box[0, 0, 2:], 0.8) - np.maximum(box[0, 0, :2], np.float32(0.2))
            )
            assert covered / 0.36 >= 0.45


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_files_come_back(channels: int, dtype: Any) -> None:
    x = RANDOM.randint(0, np.iinfo(dtype).max, (5, 7, channels)).astype(dtype)
    contents = tf.image.encode_png(x)
    image = tf.image.decode_png(contents, channels=channels, dtype=dtype)
    assert image.shape.as_list() == [None, None, channels]
    np.testing.assert_array_equal(evaluate(image), x)
    if dtype == np.uint8:
        np.testing.assert_array_equal(evaluate(tf.image.decode_image(contents)), x)


def test_jpeg_files() -> None:
    x = np.full((16, 24, 3), [200, 100, 50], np.uint8)
    contents = tf.image.encode_jpeg(x, quality=95)
    image, shape, part, small = evaluate(
        [
            tf.image.decode_jpeg(contents),
            tf.image.extract_jpeg_shape(contents),
            tf.image.decode_and_crop_jpeg(contents, [2, 3, 4, 5]),
            tf.image.decode_jpeg(contents, ratio=2),
        ]
    )
    assert abs(image.astype(int) - x).max() <= 3
    assert shape.tolist() == [16, 24, 3]
    np.testing.assert_array_equal(part, image[2:6, 3:8])
    assert small.shape == (8, 12, 3)
    with pytest.raises(ValueError, match="channels must be non-negative, got -1"):
        tf.image.decode_jpeg(contents, channels=-1)
    with pytest.raises(tf.errors.InvalidArgumentError):
        evaluate(tf.image.decode_jpeg("no image"))


def test_any_image() -> None:
    x = RANDOM.randint(0, 255, (3, 4, 3)).astype(np.uint8)
    contents = tf.image.encode_png(x)
    assert tf.image.decode_image(contents, 3, "named").op.name == "named"
    floats = evaluate(tf.image.decode_image(contents, dtype=tf.float32))
    np.testing.assert_allclose(floats, x / 255, rtol=1e-6)
    assert tf.image.decode_image(contents).shape.ndims is None
