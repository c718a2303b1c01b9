from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.core.kernels.oracles import Array, numeric_gradient
from workbench.core.errors import InvalidArgumentError, OutOfRangeError
from workbench.core.kernels import cropping

SIZES = [(3, 4), (1, 1), (1, 5), (7, 2)]


def case(seed: int = 0) -> tuple[Array, Array, Array]:
    """Images, boxes (some of which reach beyond them or are flipped) and the image of each box."""
    rng = np.random.default_rng(seed)
    boxes = rng.random((6, 4)).astype(np.float32) * 1.6 - 0.3
    boxes[0] = [0, 0, 1, 1]
    return rng.random((3, 5, 6, 2)) * 100, boxes, rng.integers(0, 3, 6).astype(np.int32)


def place(start: float, stop: float, size: int, output: int, outputs: int) -> float:
    if outputs == 1:
        return (start + stop) / 2 * (size - 1)
    return (start + (stop - start) * output / (outputs - 1)) * (size - 1)


def sample(image: Array, y: float, x: float, method: str) -> Array | None:
    """The value of an image between its pixels, or None beyond them."""
    height, width, _ = image.shape
    if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
        return None
    if method == "nearest":
        return image[math.floor(y + 0.5), math.floor(x + 0.5)]
    result = np.zeros(image.shape[2])
    for i in {math.floor(y), math.ceil(y)}:
        for j in {math.floor(x), math.ceil(x)}:
            result += image[i, j] * max(0, 1 - abs(y - i)) * max(0, 1 - abs(x - j))
    return result


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("method", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", SIZES)
def test_crops_against_loops(size: tuple[int, int], method: str, dtype: Any) -> None:
    images, boxes, indices = case()
    images = images.astype(dtype)
    result = cropping.crop_and_resize(
        images, boxes, indices, np.array(size), method=method, extrapolation_value=-7.0
    )
    assert result.dtype == np.float32
    assert result.shape == (6, *size, 2)
    for n, i, j in np.ndindex(6, *size):
        y1, x1, y2, x2 = boxes[n].tolist()
        value = sample(
            images[indices[n]].astype(np.float64),
            place(y1, y2, 5, i, size[0]),
            place(x1, x2, 6, j, size[1]),
            method,
        )
        expected = [-7.0, -7.0] if value is None else value
        np.testing.assert_allclose(result[n, i, j], expected, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize(
    ("size", "dtype"),
    [*((s, np.float64) for s in SIZES), ((3, 4), np.float32), ((3, 4), np.float16)],
)
@pytest.mark.parametrize("method", ["bilinear", "nearest"])
def test_image_gradient_is_the_transpose(size: tuple[int, int], method: str, dtype: Any) -> None:
    images, boxes, indices = case()
    images = images[..., :1]
    grads = np.random.default_rng(1).standard_normal((6, *size, 1)).astype(np.float32)
    result = cropping.crop_and_resize_grad_image(
        grads, boxes, indices, np.array(images.shape), T=np.dtype(dtype), method=method
    )
    assert result.dtype == dtype

    def crops(x: Array) -> Array:
        return cropping.crop_and_resize(x, boxes, indices, np.array(size), method=method)

    # The crops are linear in the image, so a step of one pixel value is exact.
    expected = numeric_gradient(crops, [np.zeros(images.shape)], 0, grads, step=1.0)
    tolerance = 1e-4 if np.dtype(dtype).itemsize > 2 else 1e-2
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("size", SIZES)
def test_box_gradient_by_finite_differences(size: tuple[int, int]) -> None:
    images, _, indices = case()
    # Boxes inside of the image, none of whose places comes near a pixel, where there is a kink.
    rng = np.random.default_rng(5)
    boxes = rng.uniform(0.05, 0.95, (400, 4))
    for n, (y1, x1, y2, x2) in enumerate(boxes.tolist()):
        places = [place(y1, y2, 5, i, size[0]) for i in range(size[0])]
        places += [place(x1, x2, 6, j, size[1]) for j in range(size[1])]
        if any(abs(p - round(p)) < 0.03 for p in places):
            boxes[n] = np.nan
    boxes = boxes[~np.isnan(boxes[:, 0])][:6].astype(np.float32)
    assert len(boxes) == 6
    grads = rng.standard_normal((6, *size, 2)).astype(np.float32)
    images = images.astype(np.float32)
    result = cropping.crop_and_resize_grad_boxes(grads, images, boxes, indices)
    assert (result.dtype, result.shape) == (np.float32, (6, 4))

    def crops(boxes: Array) -> Array:
        return cropping.crop_and_resize(
            images, boxes.astype(np.float32), indices, np.array(size)
        ).astype(np.float64)

    expected = numeric_gradient(crops, [boxes], 0, grads, step=2e-3)
    np.testing.assert_allclose(result, expected, rtol=2e-2, atol=0.5)


def test_nothing_flows_from_beyond_the_image() -> None:
    images = np.ones((1, 4, 4, 1))
    boxes = np.array([[2, 2, 3, 3]], np.float32)
    grads = np.full((1, 2, 2, 1), np.inf, np.float32)
    which, size = np.array([0]), np.array([2, 2])
    assert not cropping.crop_and_resize(images, boxes, which, size).any()
    assert not cropping.crop_and_resize_grad_image(
        grads, boxes, which, np.array((1, 4, 4, 1))
    ).any()
    assert not cropping.crop_and_resize_grad_boxes(grads, images, boxes, which).any()


def test_no_boxes() -> None:
    images, boxes, indices = case()
    crops = cropping.crop_and_resize(images, boxes[:0], indices[:0], np.array([2, 3]))
    assert crops.shape == (0, 2, 3, 2)
    shape = np.array(images.shape)
    assert not cropping.crop_and_resize_grad_image(crops, boxes[:0], indices[:0], shape).any()


# Offsets (y, x), the corner (y, x) that a glimpse of 3 by 2 of a 5 by 5 image then has.
GLIMPSES = [
    (True, True, (0, 0), (1, 1)),
    (True, True, (0.4, -0.2), (2, 1)),
    (True, True, (-1, 1), (-1, 4)),
    (True, True, (1.3, 1.7), (4, 5)),
    (True, False, (-1, 1), (0, 2)),
    (True, False, (1.3, 1.7), (1, 2)),
    (False, True, (0, 0), (-1, -1)),
    (False, True, (0.5, 0.5), (1, 1)),
    (False, False, (-1, 1), (-2, 0)),
    (False, False, (1.3, 1.7), (0, 0)),
]


@pytest.mark.parametrize(("centered", "normalized", "offset", "corner"), GLIMPSES)
def test_glimpses_lie_where_tensorflow_has_them(
    centered: bool, normalized: bool, offset: tuple[float, float], corner: tuple[int, int]
) -> None:
    image = np.arange(25, dtype=np.float32).reshape(1, 5, 5, 1) + 100
    result = cropping.extract_glimpse(
        image,
        np.array([3, 2]),
        np.array([offset], np.float32),
        centered=centered,
        normalized=normalized,
        generator=np.random.default_rng(0),
    )
    assert (result.dtype, result.shape) == (np.float32, (1, 3, 2, 1))
    for i, j in np.ndindex(3, 2):
        y, x = corner[0] + i, corner[1] + j
        if 0 <= y < 5 and 0 <= x < 5:
            assert result[0, i, j, 0] == image[0, y, x, 0]
        else:
            assert 100 <= result[0, i, j, 0] <= 124


@pytest.mark.parametrize("uniform", [True, False])
def test_noise_is_like_the_image_and_repeats_with_its_generator(uniform: bool) -> None:
    image = np.zeros((2, 4, 4, 2), np.float32)
    image[0, ..., 0] = np.linspace(10, 20, 16).reshape(4, 4)
    image[0, ..., 1] = np.linspace(100, 101, 16).reshape(4, 4)
    image[1] = -3
    results = [
        cropping.extract_glimpse(
            image,
            np.array([60, 60]),
            np.zeros((2, 2), np.float32),
            uniform_noise=uniform,
            generator=np.random.default_rng(7),
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*results)
    first = results[0][0]
    assert (results[0][1] == -3).all()
    if uniform:  # between the extremes of the whole image
        assert 10 <= first.min() < 11
        assert 100 < first.max() <= 101
        assert abs(first.mean() - 55.5) < 2
    else:  # around the mean of each channel
        assert abs(first[..., 0].mean() - 15) < 0.3
        assert abs(first[..., 1].mean() - 100.5) < 0.03
        assert 10 <= first[..., 0].min() < first[..., 0].max() <= 20


def test_errors_are_in_the_users_terms() -> None:
    images, boxes, indices = case()
    size = np.array([2, 2])
    for wrong in (3, -1):
        indices[2] = wrong
        with pytest.raises(OutOfRangeError, match=rf"in \[0, 3\).*got {wrong} for box 2"):
            cropping.crop_and_resize(images, boxes, indices, size)
    indices[2] = 0
    with pytest.raises(InvalidArgumentError, match=r"boxes \[n, 4\].*\(6, 3\)"):
        cropping.crop_and_resize(images, boxes[:, :3], indices, size)
    with pytest.raises(InvalidArgumentError, match="positive height and a positive width"):
        cropping.crop_and_resize(images, boxes, indices, np.array([0, 2]))
    with pytest.raises(InvalidArgumentError, match="'bilinear' or 'nearest', got 'cubic'"):
        cropping.crop_and_resize(images, boxes, indices, size, method="cubic")
    with pytest.raises(InvalidArgumentError, match=r"grads must have the shape \[6, .*, 2\]"):
        cropping.crop_and_resize_grad_boxes(
            np.zeros((5, 2, 2, 2), np.float32), images, boxes, indices
        )
    boxes[1, 1] = np.nan
    with pytest.raises(InvalidArgumentError, match="boxes must be finite"):
        cropping.crop_and_resize(images, boxes, indices, size)
    with pytest.raises(InvalidArgumentError, match=r"offsets \[batch, 2\].*\(2, 2\)"):
        cropping.extract_glimpse(
            images.astype(np.float32),
            size,
            np.zeros((2, 2), np.float32),
            generator=np.random.default_rng(0),
        )
