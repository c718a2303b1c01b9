from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tests.core.kernels.machine_code import both_ways
from tests.core.kernels.oracles import Array, numeric_gradient
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import resizing

Weights = dict[int, float]
SIZES = [((5, 7), (9, 4)), ((8, 6), (3, 13)), ((4, 4), (8, 8)), ((12, 9), (3, 2)), ((1, 5), (4, 1))]


def place(output: int, size: int, outputs: int, align_corners: bool) -> float:
    if align_corners and outputs > 1:
        scale = np.float32(size - 1) / np.float32(outputs - 1)
    else:
        scale = np.float32(size) / np.float32(outputs)
    return float(np.float32(output) * scale)


def linear(output: int, size: int, outputs: int, align_corners: bool) -> Weights:
    x = place(output, size, outputs, align_corners)
    first = min(math.floor(x), size - 1)
    second = min(first + 1, size - 1)
    weights = {first: 1 - (x - first)}
    weights[second] = weights.get(second, 0) + (x - first)
    return weights


def cubic(output: int, size: int, outputs: int, align_corners: bool) -> Weights:
    x = place(output, size, outputs, align_corners)
    first = math.floor(x)
    distance = round((x - first) * 1024) / 1024
    weights: Weights = {}
    for tap in (-1, 0, 1, 2):
        d, a = abs(distance - tap), -0.75
        inner = (a + 2) * d**3 - (a + 3) * d**2 + 1
        outer = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
        pixel = min(max(first + tap, 0), size - 1)
        weights[pixel] = weights.get(pixel, 0) + (inner if d <= 1 else outer)
    return weights


def area(output: int, size: int, outputs: int, align_corners: bool) -> Weights:
    start = place(output, size, outputs, align_corners)
    stop = place(output + 1, size, outputs, align_corners)
    if stop == start:
        return {0: 1.0}
    weights: Weights = {}
    for pixel in range(math.floor(start), math.ceil(stop)):
        covered = min(pixel + 1, stop) - max(pixel, start)
        seen = min(pixel, size - 1)
        weights[seen] = weights.get(seen, 0) + covered / (stop - start)
    return weights


def nearest(output: int, size: int, outputs: int, align_corners: bool) -> Weights:
    x = place(output, size, outputs, align_corners)
    return {min(math.floor(x + 0.5 if align_corners else x), size - 1): 1.0}


METHODS: dict[str, Callable[[int, int, int, bool], Weights]] = {
    "bilinear": linear,
    "bicubic": cubic,
    "area": area,
    "nearest_neighbor": nearest,
}


def matrices(
    method: str, sizes: tuple[int, int], outputs: tuple[int, int], align_corners: bool
) -> list[Array]:
    """For the rows and for the columns: the weight of each input in each output."""
    result = []
    for size, count in zip(sizes, outputs, strict=True):
        matrix = np.zeros((count, size))
        for output in range(count):
            for pixel, weight in METHODS[method](output, size, count, align_corners).items():
                matrix[output, pixel] = weight
        result.append(matrix)
    return result


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_against_loops(
    method: str, sizes: tuple[Any, Any], align_corners: bool, dtype: Any
) -> None:
    images = (np.random.default_rng(0).random((2, *sizes[0], 3)) * 200).astype(dtype)
    rows, columns = matrices(method, *sizes, align_corners)
    expected = np.einsum("oh,nhwc,pw->nopc", rows, images.astype(np.float64), columns)
    kernel = getattr(resizing, f"resize_{method}")
    result = kernel(images, np.array(sizes[1], np.int32), align_corners=align_corners)
    assert result.dtype == (dtype if method == "nearest_neighbor" else np.float32)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("method", ["bilinear", "bicubic", "nearest_neighbor"])
def test_gradients_are_the_transposes(
    method: str, sizes: tuple[Any, Any], align_corners: bool, dtype: Any
) -> None:
    rows, columns = matrices(method, *sizes, align_corners)
    grads = np.random.default_rng(1).standard_normal((2, *sizes[1], 3)).astype(np.float32)
    kernel = getattr(resizing, f"resize_{method}_grad")
    if method == "nearest_neighbor":
        grads = grads.astype(dtype)
        result = kernel(grads, np.array(sizes[0]), align_corners=align_corners)
    else:
        images = np.zeros((2, *sizes[0], 3), dtype)
        result = kernel(grads, images, align_corners=align_corners)
    expected = np.einsum("oh,nopc,pw->nhwc", rows, grads.astype(np.float64), columns)
    assert result.dtype == dtype
    tolerance = 1e-5 if np.dtype(dtype).itemsize > 2 else 0.05
    np.testing.assert_allclose(result.astype(np.float64), expected, tolerance, tolerance)


def test_gradients_by_finite_differences() -> None:
    images = np.arange(24.0).reshape(1, 4, 6, 1)
    grads = np.random.default_rng(2).standard_normal((1, 6, 5, 1)).astype(np.float32)
    size = np.array([6, 5])
    for method in ("bilinear", "bicubic"):
        forward = getattr(resizing, f"resize_{method}")
        backward = getattr(resizing, f"resize_{method}_grad")
        np.testing.assert_allclose(
            backward(grads, images),
            numeric_gradient(
                lambda x, forward=forward: forward(x, size), [images], 0, grads, step=1.0
            ),
            atol=1e-4,
        )


def test_constant_images_stay_exactly_so() -> None:
    images = np.full((1, 5, 7, 1), 255, np.uint8)
    result = resizing.resize_bilinear(images, np.array([11, 13]))
    assert (result == 255).all()


def test_integers_add_up_in_their_own_type() -> None:
    grads = np.arange(6, dtype=np.int32).reshape(1, 1, 6, 1)
    result = resizing.resize_nearest_neighbor_grad(grads, np.array([1, 2]))
    assert result.dtype == np.int32
    assert result.ravel().tolist() == [0 + 1 + 2, 3 + 4 + 5]


def test_an_infinity_stays_where_it_is_met() -> None:
    images = np.array([0, np.inf, 1, 2]).reshape(1, 1, 4, 1)
    size = np.array([1, 4])
    assert resizing.resize_bilinear(images, size).ravel().tolist() == [0, np.inf, 1, 2]
    assert resizing.resize_area(images, np.array([1, 2])).ravel().tolist() == [np.inf, 1.5]
    assert resizing.resize_area(images, np.array([1, 8])).ravel()[4:].tolist() == [1, 1, 2, 2]


def test_errors_are_in_the_users_terms() -> None:
    images = np.zeros((1, 4, 4, 1))
    for method in METHODS:
        kernel = getattr(resizing, f"resize_{method}")
        for size in ([0, 3], [3, -1], [3]):
            with pytest.raises(InvalidArgumentError, match="positive height and a positive width"):
                kernel(images, np.array(size))
        with pytest.raises(InvalidArgumentError, match=r"got \(4, 4, 1\)"):
            kernel(images[0], np.array([2, 2]))
    with pytest.raises(InvalidArgumentError, match="same batch and channels"):
        resizing.resize_bilinear_grad(np.zeros((1, 2, 2, 3), np.float32), images)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("before", "after"), [*SIZES, ((7, 7), (7, 7)), ((30, 40), (9, 50))])
def test_machine_code_gives_the_same_bits(
    before: tuple[int, int], after: tuple[int, int], channels: int, align_corners: bool
) -> None:
    random = np.random.default_rng(1)
    images = random.standard_normal((2, before[0] + 2, before[1] + 1, channels)).astype(np.float32)
    images[0, 1, 0], images[1, 0, -1], images[1, 1:, 1:] = np.inf, np.nan, -0.0
    bytes_ = random.integers(0, 256, images.shape, np.uint8)
    for part in (images, images[:, 1:-1, 1:], bytes_):
        by_numpy, by_machine = both_ways(
            lambda part=part: resizing.resize_bilinear(
                part, np.array(after), align_corners=align_corners
            )
        )
        assert by_machine.tobytes() == by_numpy.tobytes()
        assert by_machine.shape == by_numpy.shape == (2, *after, channels)
