from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.kernels.oracles import FLOATS, assert_close
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import bias, channel_sums

SHAPES = [(3, 4), (2, 5, 4), (2, 3, 5, 4), (2, 1, 0, 4), (0, 4), (70, 5, 6, 2), (1, 2, 3, 2, 4)]


@pytest.mark.parametrize("dtype", [*FLOATS, np.int32, np.uint8, np.complex64])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_against_loops(shape: tuple[int, ...], data_format: str, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    value = rng.integers(0, 4, shape).astype(dtype)
    axis = 1 if data_format == "NCHW" else len(shape) - 1
    vector = rng.integers(0, 4, shape[axis]).astype(dtype)
    expected, sums = np.zeros(shape), np.zeros(shape[axis])
    for place in np.ndindex(*shape):
        number = complex(value[place])
        expected[place] = (number + complex(vector[place[axis]])).real
        sums[place[axis]] += number.real
    result = bias.bias_add(value, vector, data_format=data_format)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, expected.astype(dtype))
    out = np.empty_like(value)
    assert bias.bias_add(value, vector, data_format=data_format, out=out) is out
    np.testing.assert_array_equal(out, expected.astype(dtype))
    total = bias.bias_add_grad(value, data_format=data_format)
    assert total.dtype == dtype
    np.testing.assert_array_equal(total, sums.astype(np.int64).astype(dtype))


def test_in_place_and_into_a_view() -> None:
    value = np.arange(24.0).reshape(2, 3, 4)
    vector = np.arange(4.0)
    expected = value + vector
    wide = np.zeros((2, 3, 8))
    bias.bias_add(value, vector, out=wide[..., ::2])
    np.testing.assert_array_equal(wide[..., ::2], expected)
    assert bias.bias_add(value, vector, out=value) is value
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(bias.bias_add_v1(expected, vector), expected + vector)


@pytest.mark.parametrize("dtype", FLOATS)
def test_channels_within_transposed_values(dtype: Any) -> None:
    value = np.random.default_rng(1).standard_normal((3, 4, 5)).astype(dtype).T
    wide = value.astype(np.float64)
    assert_close(bias.bias_add_grad(value), wide.sum((0, 1)), dtype)
    vector = np.arange(3).astype(dtype)
    assert_close(bias.bias_add(value, vector), wide + vector.astype(np.float64), dtype)


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 257, 600])
def test_sums_over_blocks_of_rows(rows: int) -> None:
    rng = np.random.default_rng(rows)
    left, right = rng.standard_normal((2, rows, 3))
    np.testing.assert_allclose(
        channel_sums.column_sums(left), [sum(c.tolist()) for c in left.T], atol=1e-12
    )
    np.testing.assert_allclose(
        channel_sums.column_products(left, right),
        [sum((a * b).tolist()) for a, b in zip(left.T, right.T, strict=True)],
        atol=1e-12,
    )


def test_long_sums_keep_their_digits() -> None:
    matrix = np.full((200_000, 2), 1.1, np.float32)
    exact = 200_000 * float(np.float32(1.1))
    np.testing.assert_allclose(channel_sums.column_sums(matrix), exact, rtol=4e-6)
    np.testing.assert_allclose(
        channel_sums.column_products(matrix, np.ones_like(matrix)), exact, rtol=4e-6
    )


def test_errors_are_in_the_users_terms() -> None:
    with pytest.raises(InvalidArgumentError, match=r"vector of 4 numbers.*got the shape \(3,\)"):
        bias.bias_add(np.zeros((2, 4)), np.zeros(3))
    with pytest.raises(InvalidArgumentError, match="vector of 2 numbers"):
        bias.bias_add(np.zeros((1, 2, 4)), np.zeros(4), data_format="NCHW")
    with pytest.raises(InvalidArgumentError, match=r"rank 2 or more, got the shape \(4,\)"):
        bias.bias_add_grad(np.zeros(4))
