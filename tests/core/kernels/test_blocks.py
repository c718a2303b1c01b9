"""Moves between space, batch and depth against loops over the pixels."""

from __future__ import annotations

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import blocks

rng = np.random.default_rng(24)
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.int64, np.bool_]
BLOCKS = [
    ((2, 3), [[1, 0], [2, 1]]),
    ((3,), [[1, 0]]),
    ((1, 2), [[0, 0], [1, 1]]),
    ((3, 3, 3), [[0, 1], [0, 0], [2, 1]]),
    ((), np.zeros((0, 2))),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("block", "paddings"), BLOCKS)
def test_space_to_batch_nd_and_back(block: Any, paddings: Any, dtype: Any) -> None:
    x = rng.integers(0, 2, (2, 5, 6, 3)).astype(dtype)
    pairs = np.array(paddings, np.int32)
    result = blocks.space_to_batch_nd(x, np.array(block, np.int32), pairs)
    count = len(block)
    padded = np.pad(x, [(0, 0), *pairs.tolist(), *[(0, 0)] * (3 - count)])
    assert result.dtype == dtype
    assert result.shape == (
        2 * int(np.prod(block)),
        *(n // b for n, b in zip(padded.shape[1:], block, strict=False)),
        *padded.shape[count + 1 :],
    )
    # The batch counts the offsets within a block first, then the images.
    for offset, position in enumerate(itertools.product(*map(range, block))):
        for image in range(2):
            index = tuple(slice(p, None, b) for p, b in zip(position, block, strict=True))
            np.testing.assert_array_equal(result[offset * 2 + image], padded[(image, *index)])
    back = blocks.batch_to_space_nd(result, np.array(block, np.int32), pairs)
    np.testing.assert_array_equal(back, x)


def test_the_square_forms() -> None:
    x, pairs = rng.normal(size=(1, 3, 4, 2)), np.array([[1, 0], [0, 2]])
    result = blocks.space_to_batch(x, pairs, block_size=2)
    np.testing.assert_array_equal(result, blocks.space_to_batch_nd(x, np.array([2, 2]), pairs))
    np.testing.assert_array_equal(blocks.batch_to_space(result, pairs, block_size=2), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
def test_space_to_depth_and_back(data_format: str, size: int, dtype: Any) -> None:
    last = rng.integers(0, 2, (2, 2 * size, 3 * size, 2)).astype(dtype)
    x = last if data_format == "NHWC" else last.transpose(0, 3, 1, 2)
    result = blocks.space_to_depth(x, block_size=size, data_format=data_format)
    pixels = result if data_format == "NHWC" else result.transpose(0, 2, 3, 1)
    assert result.dtype == dtype and pixels.shape == (2, 2, 3, 2 * size * size)
    for row, column in itertools.product(range(size), repeat=2):
        depth = (row * size + column) * 2
        np.testing.assert_array_equal(
            pixels[..., depth : depth + 2], last[:, row::size, column::size]
        )
    back = blocks.depth_to_space(result, block_size=size, data_format=data_format)
    np.testing.assert_array_equal(back, x)


PATCHES = list(
    itertools.product(
        [(2, 3), (1, 1), (3, 3)], [(1, 1), (2, 1), (3, 4)], [(1, 1), (2, 1)], ["SAME", "VALID"]
    )
)


@pytest.mark.parametrize(("sizes", "strides", "rates", "padding"), PATCHES)
def test_patches_and_their_gradient(sizes: Any, strides: Any, rates: Any, padding: str) -> None:
    images = rng.normal(size=(2, 7, 6, 2))
    attributes: dict[str, Any] = {
        "ksizes": (1, *sizes, 1),
        "strides": (1, *strides, 1),
        "rates": (1, *rates, 1),
        "padding": padding,
    }
    result = blocks.extract_image_patches(images, **attributes)
    starts = []
    for size, count, stride, rate in zip((7, 6), sizes, strides, rates, strict=True):
        span = (count - 1) * rate + 1
        outputs = -(-size // stride) if padding == "SAME" else (size - span) // stride + 1
        missing = max((outputs - 1) * stride + span - size, 0) if padding == "SAME" else 0
        starts.append([o * stride - missing // 2 for o in range(outputs)])
    expected = np.zeros((2, len(starts[0]), len(starts[1]), *sizes, 2))
    for (i, top), (j, left) in itertools.product(*map(enumerate, starts)):
        for row, column in itertools.product(*map(range, sizes)):
            y, x = top + row * rates[0], left + column * rates[1]
            if 0 <= y < 7 and 0 <= x < 6:
                expected[:, i, j, row, column] = images[:, y, x]
    np.testing.assert_array_equal(result, expected.reshape(result.shape))

    dy = rng.normal(size=result.shape)
    gradient = blocks.extract_image_patches_grad(np.array(images.shape), dy, **attributes)
    np.testing.assert_allclose((gradient * images).sum(), (dy * result).sum())


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.uint8])
def test_patches_keep_the_dtype(dtype: Any) -> None:
    images = np.ones((1, 3, 3, 1), dtype)
    attributes: Any = {"ksizes": (1, 2, 2, 1), "strides": (1,) * 4, "rates": (1,) * 4}
    result = blocks.extract_image_patches(images, **attributes, padding="SAME")
    assert result.dtype == dtype and result.shape == (1, 3, 3, 4)
    grad = blocks.extract_image_patches_grad(
        np.array([1, 3, 3, 1]), result, **attributes, padding="SAME"
    )
    assert grad.dtype == dtype


X, ONES = np.zeros((2, 4, 6, 3)), {"strides": (1,) * 4, "rates": (1,) * 4, "padding": "VALID"}
PAIR = np.zeros((1, 2), int)
ERRORS = [
    (lambda: blocks.space_to_batch_nd(X, np.array([3]), PAIR),
     "padded_shape[0]=4 is not divisible by block_shape[0]=3"),
    (lambda: blocks.space_to_batch_nd(X, np.array([0]), PAIR), "must be positive"),
    (lambda: blocks.space_to_batch_nd(X, np.array([2, 2]), PAIR),
     "paddings should have shape [2, 2] instead of [1,2]"),
    (lambda: blocks.space_to_batch_nd(X, np.array([2]), PAIR - 1),
     "Paddings must be non-negative, got [[-1, -1]]"),
    (lambda: blocks.space_to_batch_nd(np.zeros(2), np.array([2]), PAIR), "of at least 2"),
    (lambda: blocks.batch_to_space_nd(X, np.array([5]), PAIR),
     "Input batch dimension (2) is not divisible by product of block sizes (5)"),
    (lambda: blocks.batch_to_space_nd(X, np.array([2]), PAIR + 5),
     "cropped_shape[0]=-2 must be non-negative: crops of 5 and 5 from 8"),
    (lambda: blocks.space_to_depth(X, block_size=4),
     "Image width 6 and height 4 should be divisible by block_size: 4"),
    (lambda: blocks.space_to_depth(X, block_size=1), "at least 2"),
    (lambda: blocks.space_to_depth(X[0], block_size=2), "Input rank should be 4 instead of 3"),
    (lambda: blocks.depth_to_space(X, block_size=2),
     "Input depth dimension 3 should be divisible by: 4"),
    (lambda: blocks.space_to_depth(X, block_size=2, data_format="CHWN"), "'CHWN'"),
    (lambda: blocks.extract_image_patches(X, ksizes=(1, 9, 9, 1), **ONES), "does not fit"),
    (lambda: blocks.extract_image_patches(X, ksizes=(1, 1, 1, 2), **ONES),
     "ksizes must be [1, rows"),
    (lambda: blocks.extract_image_patches(X[0], ksizes=(1, 1, 1, 1), **ONES), "(4, 6, 3)"),
    (lambda: blocks.extract_image_patches_grad(np.array(X.shape), X, ksizes=(1, 2, 2, 1), **ONES),
     "(2, 3, 5, 12)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
