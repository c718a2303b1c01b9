"""Reductions against NumPy's own and against loops, whichever path they take inside."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import reduction

rng = np.random.default_rng(11)
ORACLES = {
    "sum": np.sum,
    "mean": np.mean,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
}
# Small ones, and ones that go through the matrix product: rows, columns, blocks, long rows.
SHAPES = [(5,), (3, 4, 2), (40, 50), (2000, 3), (3, 2000), (7, 30, 11), (2, 5000), (6, 8, 9, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", list(ORACLES))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_axes(name: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    rank = len(shape)
    axes = data.draw(st.lists(st.integers(-rank, rank - 1), max_size=rank))
    keep_dims = data.draw(st.booleans())
    x = np.random.default_rng(7).uniform(0.9, 1.1, shape)
    if data.draw(st.booleans()):
        x = np.asfortranarray(x)
    kernel = getattr(reduction, name)
    result = kernel(x, np.array(axes, np.int32), keep_dims=keep_dims)
    over = tuple({axis % rank for axis in axes})
    expected = ORACLES[name](x, axis=over, keepdims=keep_dims)
    assert np.asarray(result).dtype == np.float64
    np.testing.assert_allclose(result, expected, rtol=1e-11)


@pytest.mark.parametrize(
    "dtype",
    [np.float16, ml_dtypes.bfloat16, np.float32, np.int8, np.int64, np.uint16, np.complex64],
)
@pytest.mark.parametrize("name", ["sum", "mean", "prod"])
def test_dtypes(name: str, dtype: Any) -> None:
    x = rng.integers(1, 3, (40, 5)).astype(dtype)
    result = np.asarray(getattr(reduction, name)(x, np.int32(1)))
    assert result.dtype == dtype
    wide = x.astype(np.complex128)
    with np.errstate(over="ignore"):
        expected = ORACLES[name](wide, axis=1)
    if np.issubdtype(dtype, np.integer):
        expected = np.trunc(expected.real)
    np.testing.assert_allclose(result.astype(np.complex128), expected, rtol=8e-3)


def test_half_sums_are_carried_wider() -> None:
    ones = np.ones((4096, 2), np.float16)
    assert reduction.sum(ones, np.array([0])).tolist() == [4096.0, 4096.0]
    assert reduction.mean(ones, np.array([0])).tolist() == [1.0, 1.0]


def test_means_of_integers_go_towards_zero() -> None:
    x = np.array([[-3, -4], [3, 4]], np.int32)
    assert reduction.mean(x, np.array(1)).tolist() == [-3, 3]


@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes(name: str) -> None:
    kernel, oracle = getattr(reduction, name), ORACLES[name]
    # Few columns take another path than many.
    for shape in ((500, 4), (500, 40), (4, 500)):
        x = rng.normal(size=shape).astype(np.float32)
        x[2, 1] = np.nan
        found = kernel(x, np.array([1]))
        np.testing.assert_array_equal(found, oracle(x, axis=1))
        assert found.dtype == np.float32 and np.isnan(found[2])
    kept = kernel(x, np.array([1]), keep_dims=True)
    assert kept.shape == (4, 1)


def test_nothing_to_reduce() -> None:
    empty = np.zeros((0, 3), np.float32)
    axis = np.array([0])
    assert reduction.sum(empty, axis).tolist() == [0, 0, 0]
    assert reduction.prod(empty, axis).tolist() == [1, 1, 1]
    assert np.isnan(reduction.mean(empty, axis)).all()
    assert reduction.max(empty, axis).tolist() == [-math.inf] * 3
    assert reduction.min(empty.astype(np.int32), axis).tolist() == [np.iinfo(np.int32).max] * 3
    assert reduction.all(empty.astype(bool), axis).tolist() == [True] * 3
    assert reduction.mean(empty, np.array([1])).shape == (0,)


@pytest.mark.parametrize("special", [math.inf, -math.inf, math.nan])
def test_special_values_pass_through_the_matrix_product(special: float) -> None:
    x = np.ones((60, 60), np.float32)
    x[3, 5] = special
    for axis, index in ((0, 5), (1, 3)):
        total = reduction.sum(x, np.array([axis]))
        assert str(total[index]) == str(np.float32(special))
        assert np.isfinite(np.delete(total, index)).all()


def test_truths() -> None:
    x = np.array([[True, False], [True, True]])
    assert reduction.all(x, np.array([1])).tolist() == [False, True]
    assert reduction.any(x, np.array([0, 1])).tolist() is True


def test_positions() -> None:
    x = np.array([[1, 7, 7], [3, -2, 0]])
    assert reduction.arg_max(x, np.array(1)).tolist() == [1, 0]
    assert reduction.arg_min(x, np.array(-2)).tolist() == [0, 1, 1]
    assert reduction.arg_max(x, np.array(0), output_type=np.dtype(np.int32)).dtype == np.int32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: reduction.sum(x, np.array([2])),
            "Invalid reduction dimension (2 for input with 2",
        ),
        (lambda x: reduction.max(x, np.array(-3)), "Invalid reduction dimension (-3"),
        (lambda x: reduction.arg_max(x, np.array(2)), "dimension in the range [-2, 2), but got 2"),
        (lambda x: reduction.arg_min(x[:0], np.array(0)), "Reduction axis 0 is empty"),
    ],
)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as error:
        call(np.zeros((2, 3)))
    assert message in str(error.value)
