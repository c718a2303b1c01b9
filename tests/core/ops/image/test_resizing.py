"""Images in other sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import evaluate

RANDOM = np.random.RandomState(0)
IMAGES = RANDOM.random_sample((2, 4, 6, 3)).astype(np.float32)


def linear(x: Any, size: int, corners: bool, axis: int) -> Any:
    """Along one axis, from the definition."""
    old = x.shape[axis]
    scale = (old - 1) / (size - 1) if corners and size > 1 else old / size
    at = np.arange(size) * scale
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, old - 1)
    shape = [-1 if a == axis else 1 for a in range(x.ndim)]
    share = (at - low).reshape(shape)
    return x.take(low, axis) * (1 - share) + x.take(high, axis) * share


@pytest.mark.parametrize("size", [(2, 3), (4, 6), (7, 5), (1, 1), (9, 13)])
@pytest.mark.parametrize("corners", [False, True])
def test_bilinear(size: tuple[int, int], corners: bool) -> None:
    expected = linear(linear(IMAGES, size[0], corners, 1), size[1], corners, 2)
    y = tf.image.resize_bilinear(IMAGES, size, corners)
    assert y.shape.as_list() == [2, *size, 3]
    np.testing.assert_allclose(evaluate(y), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["bilinear", "bicubic", "nearest_neighbor"])
@pytest.mark.parametrize("corners", [False, True])
def test_gradients_are_transposes(name: str, corners: bool) -> None:
    """Resizing is linear: <resize(x), y> = <x, gradient of y>, and so for its gradient."""
    x = tf.constant(IMAGES)
    y = getattr(tf.image, f"resize_{name}")(x, (7, 5), corners)
    weights = RANDOM.random_sample((2, 7, 5, 3)).astype(np.float32)
    other = RANDOM.random_sample(IMAGES.shape).astype(np.float32)
    probe = tf.constant(weights)
    (gradient,) = tf.gradients(y, x, probe)
    (again,) = tf.gradients(gradient, probe, tf.constant(other))
    values = evaluate([y, gradient, again])
    np.testing.assert_allclose((values[0] * weights).sum(), (IMAGES * values[1]).sum(), rtol=1e-4)
    np.testing.assert_allclose((values[1] * other).sum(), (weights * values[2]).sum(), rtol=1e-4)


def test_areas_are_means() -> None:
    y = evaluate(tf.image.resize_area(IMAGES, (2, 3)))
    np.testing.assert_allclose(y, IMAGES.reshape(2, 2, 2, 3, 2, 3).mean((2, 4)), rtol=1e-5)
    with pytest.raises(LookupError, match="ResizeArea"):
        x = tf.constant(IMAGES)
        tf.gradients(tf.image.resize_area(x, (2, 3)), x)


def test_nearest_keeps_the_type() -> None:
    x = (IMAGES * 255).astype(np.uint8)
    y = evaluate(tf.image.resize_nearest_neighbor(x, (8, 3)))
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, x[:, np.arange(8) // 2][:, :, ::2])


@pytest.mark.parametrize("method", range(4))
def test_resize_images(method: int) -> None:
    batch = tf.image.resize_images(IMAGES, [2, 3], method)
    single = tf.image.resize_images(IMAGES[0], [2, 3], method)
    found = evaluate([batch, single])
    assert single.shape.as_list() == [2, 3, 3]
    np.testing.assert_array_equal(found[0][0], found[1])
    x = tf.placeholder(tf.uint8, [None, 4, 6, 3])
    assert tf.image.resize_images(x, (4, 6), method) is x
    size = tf.placeholder(tf.int32, [2])
    y = tf.image.resize_images(x, size, method)
    assert y.shape.as_list() == [None, None, None, 3]
    assert evaluate(y, {x: np.ones([1, 4, 6, 3]), size: [3, 2]}).shape == (1, 3, 2, 3)


def test_the_aspect_ratio_may_be_kept() -> None:
    y = tf.image.resize_images(IMAGES, [8, 9], preserve_aspect_ratio=True)
    assert evaluate(y).shape == (2, 6, 9, 3)


def test_errors() -> None:
    with pytest.raises(ValueError, match="'images' must have either 3 or 4 dimensions"):
        tf.image.resize_images(tf.ones([2, 2]), [1, 1])
    with pytest.raises(ValueError, match="'images' contains no shape"):
        tf.image.resize_images(tf.placeholder(tf.float32), [1, 1])
    with pytest.raises(ValueError, match="2 elements: new_height, new_width"):
        tf.image.resize_images(IMAGES, [1, 1, 1])
    with pytest.raises(ValueError, match="'size' must be a 1-D int32 Tensor"):
        tf.image.resize_images(IMAGES, [1.5, 1])
    with pytest.raises(ValueError, match="Resize method is not implemented: 4"):
        tf.image.resize_images(IMAGES, [1, 1], 4)


def test_crops_of_boxes() -> None:
    image = np.arange(20.0, dtype=np.float32).reshape(1, 4, 5, 1)
    boxes = [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]]
    whole, turned = evaluate(tf.image.crop_and_resize(image, boxes, [0, 0], [4, 5]))
    np.testing.assert_allclose(whole, image[0])
    np.testing.assert_allclose(turned, image[0, ::-1, ::-1], atol=1e-5)
    crops = tf.image.crop_and_resize(image, boxes, tf.placeholder(tf.int32), [2, 2])
    assert crops.shape.as_list() == [2, 2, 2, 1]
    x = tf.constant(image)
    inside = tf.constant([[0.1, 0.2, 0.6, 0.7]])
    by_image, by_box = tf.gradients(tf.image.crop_and_resize(x, inside, [0], [3, 3]), [x, inside])
    found = evaluate([by_image, by_box])
    assert abs(found[0].sum() - 9) < 1e-4 and found[1].shape == (1, 4)
    pixels = tf.constant(image.astype(np.uint8))
    assert (
        tf.gradients(tf.image.crop_and_resize(pixels, inside, [0], [3, 3]), inside)[0] is not None
    )


def test_glimpses() -> None:
    image = np.arange(16.0, dtype=np.float32).reshape(1, 4, 4, 1)
    middle = tf.image.extract_glimpse(image, [2, 2], [[0.0, 0.0]])
    np.testing.assert_array_equal(evaluate(middle)[0, :, :, 0], [[5, 6], [9, 10]])
    beyond = evaluate(tf.image.extract_glimpse(image, [4, 4], [[2.0, 2.0]]))
    assert np.all((beyond >= 0) & (beyond <= 15))
