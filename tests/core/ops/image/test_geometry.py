"""Images cropped, padded and turned around."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from tests.core.ops.evaluating import evaluate

IMAGE = np.arange(60).reshape(4, 5, 3)
BATCH = np.stack([IMAGE, IMAGE[::-1]])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (tf.image.flip_left_right, lambda x: x[..., ::-1, :]),
        (tf.image.flip_up_down, lambda x: x[..., ::-1, :, :]),
        (tf.image.transpose_image, lambda x: x.swapaxes(-3, -2)),
        (lambda x: tf.image.central_crop(x, 0.5), lambda x: x[..., 1:3, 1:4, :]),
        (
            lambda x: tf.image.crop_to_bounding_box(x, 1, 2, 3, 2),
            lambda x: x[..., 1:4, 2:4, :],
        ),
        (
            lambda x: tf.image.pad_to_bounding_box(x, 1, 2, 6, 9),
            lambda x: np.pad(x, [(0, 0)] * (x.ndim - 3) + [(1, 1), (2, 2), (0, 0)]),
        ),
        (
            lambda x: tf.image.resize_image_with_crop_or_pad(x, 2, 8),
            lambda x: np.pad(x[..., 1:3, :, :], [(0, 0)] * (x.ndim - 2) + [(1, 2), (0, 0)]),
        ),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_images_and_batches(function: Any, expected: Any, known: bool) -> None:
    for value in (IMAGE, BATCH):
        x = tf.placeholder(tf.int32, value.shape if known else [None] * (value.ndim - 1) + [3])
        y = function(x)
        found = evaluate(y, {x: value})
        np.testing.assert_array_equal(found, expected(value))
        assert y.shape.is_compatible_with(found.shape) and y.shape.as_list()[-1] == 3
        assert not known or y.shape.is_fully_defined()


def _turned(x: Any, k: int) -> Any:
    return np.rot90(x, k, (x.ndim - 3, x.ndim - 2))


@pytest.mark.parametrize("k", range(-2, 6))
def test_turns(k: int) -> None:
    for value in (IMAGE, BATCH):
        y = tf.image.rot90(value, k)
        np.testing.assert_array_equal(evaluate(y), _turned(value, k))
        assert y.shape.as_list() == list(_turned(value, k).shape)


def test_turns_known_only_in_the_run() -> None:
    k = tf.placeholder(tf.int32, [])
    for value in (IMAGE, BATCH):
        y = tf.image.rot90(value, k)
        for turns in range(5):
            np.testing.assert_array_equal(evaluate(y, {k: turns}), _turned(value, turns))


def test_random_flips() -> None:
    for function, axis in ((tf.image.random_flip_left_right, 1), (tf.image.random_flip_up_down, 0)):
        y = function(tf.constant(IMAGE), seed=5)
        with tf.Session() as session:
            found = [session.run(y) for _ in range(40)]
        flipped = [np.array_equal(f, np.flip(IMAGE, axis)) for f in found]
        kept = [np.array_equal(f, IMAGE) for f in found]
        assert all(a != b for a, b in zip(flipped, kept, strict=True))
        assert 8 <= sum(flipped) <= 32
        images = np.stack([IMAGE] * 40)
        each = evaluate(function(tf.constant(images), seed=5))
        count = sum(np.array_equal(f, np.flip(IMAGE, axis)) for f in each)
        assert 8 <= count <= 32


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 8), st.integers(1, 8))
def test_crop_or_pad(height: int, width: int, rows: int, columns: int) -> None:
    x = np.arange(1, height * width + 1).reshape(height, width, 1)
    with tf.Graph().as_default():
        image = tf.placeholder(tf.int32, [None, None, 1])
        known = tf.image.resize_image_with_crop_or_pad(x, rows, columns)
        unknown = tf.image.resize_image_with_crop_or_pad(image, rows, columns)
        found, same = evaluate([known, unknown], {image: x})
    assert found.shape == (rows, columns, 1)
    np.testing.assert_array_equal(found, same)
    # What is left is a connected part of the image, and as large as it can be.
    kept = found[found > 0]
    assert kept.size == min(rows, height) * min(columns, width)
    assert set(kept.tolist()) <= set(x.ravel().tolist())


def test_errors() -> None:
    x = tf.constant(IMAGE)
    for arguments, problem in (
        ((-1, 0, 3, 3), "offset_height must be >= 0"),
        ((0, -1, 3, 3), "offset_width must be >= 0"),
        ((0, 0, 0, 3), "target_height must be > 0"),
        ((0, 0, 3, 0), "target_width must be > 0"),
        ((2, 0, 3, 3), "height must be >= target . offset"),
        ((0, 3, 3, 3), "width must be >= target . offset"),
    ):
        with pytest.raises(ValueError, match=problem):
            tf.image.crop_to_bounding_box(x, *arguments)
    with pytest.raises(ValueError, match="width must be <= target - offset"):
        tf.image.pad_to_bounding_box(x, 0, 2, 6, 6)
    with pytest.raises(ValueError, match=r"central_fraction must be within \(0, 1\]"):
        tf.image.central_crop(x, 0.0)
    with pytest.raises(ValueError, match="'image' must be three-dimensional"):
        tf.image.rot90(tf.ones([2, 2]))
    with pytest.raises(ValueError, match="all dims of 'image.shape' must be > 0"):
        tf.image.flip_left_right(tf.ones([0, 2, 3]))
    with pytest.raises(ValueError, match="'image' must have either 3 or 4 dimensions"):
        tf.image.crop_to_bounding_box(tf.ones([2, 2]), 0, 0, 1, 1)


def test_errors_of_the_run() -> None:
    x = tf.placeholder(tf.float32, [None, None, 3])
    offset = tf.placeholder(tf.int32, [])
    y = tf.image.crop_to_bounding_box(x, offset, 0, 2, 2)
    assert y.shape.as_list() == [2, 2, 3]
    assert evaluate(y, {x: IMAGE, offset: 1}).shape == (2, 2, 3)
    with pytest.raises(tf.errors.InvalidArgumentError):
        evaluate(y, {x: IMAGE, offset: 3})
