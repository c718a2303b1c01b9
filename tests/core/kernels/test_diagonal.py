"""Diagonals and bands against loops over the elements."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import diagonal

rng = np.random.default_rng(25)
DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.int64, np.bool_, np.complex64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (2, 3, 2), (0, 3)])
@pytest.mark.parametrize(("lower", "upper"), [(0, 0), (-1, 0), (0, -1), (1, 1), (-1, -1), (2, 1)])
def test_band(shape: Any, lower: int, upper: int, dtype: Any) -> None:
    if lower > shape[-2]:
        return
    x = rng.integers(1, 3, shape).astype(dtype)
    result = diagonal.matrix_band_part(x, np.int64(lower), np.int64(upper))
    assert result.dtype == dtype and result.shape == shape
    for index in np.ndindex(*shape):
        row, column = index[-2:]
        inside = (lower < 0 or row - column <= lower) and (upper < 0 or column - row <= upper)
        assert result[index] == (x[index] if inside else 0)


def test_a_band_drops_nan_and_infinity() -> None:
    x = np.full((2, 2), np.nan)
    assert diagonal.matrix_band_part(x, np.int64(0), np.int64(0))[0, 1] == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 1), (2, 0)])
def test_matrices_from_diagonals(shape: Any, dtype: Any) -> None:
    x = rng.integers(1, 3, shape).astype(dtype)
    result = diagonal.matrix_diag(x)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, x[..., np.newaxis] * np.eye(shape[-1]).astype(dtype))
    np.testing.assert_array_equal(diagonal.matrix_diag_part(result), x)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (5, 4, 2)])
def test_set_diagonal(shape: Any) -> None:
    x, size = rng.normal(size=shape).astype(np.float32), min(shape[-2:])
    new = rng.normal(size=(*shape[:-2], size)).astype(np.float32)
    kept = x.copy()
    result = diagonal.matrix_set_diag(x, new)
    np.testing.assert_array_equal(x, kept)
    for index in np.ndindex(*shape):
        same = index[-1] == index[-2]
        assert result[index] == (new[(*index[:-2], index[-1])] if same else x[index])
    np.testing.assert_array_equal(diagonal.matrix_diag_part(result), new)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 2)])
def test_diagonal_tensors(shape: Any) -> None:
    x = rng.normal(size=shape)
    result = diagonal.diag(x)
    assert result.shape == shape * 2
    for index in np.ndindex(*shape):
        for other in np.ndindex(*shape):
            assert result[(*index, *other)] == (x[index] if index == other else 0)
    np.testing.assert_array_equal(diagonal.diag_part(result), x)


X = np.zeros((2, 3))
ERRORS = [
    (lambda: diagonal.matrix_band_part(X, np.int64(3), np.int64(0)), "num_lower must be"),
    (
        lambda: diagonal.matrix_band_part(X, np.int64(0), np.int64(4)),
        "num_upper must be negative or less or equal to number of columns (3) got: 4",
    ),
    (
        lambda: diagonal.matrix_band_part(X[0], np.int64(0), np.int64(0)),
        "input must be at least 2-dim, received shape: [3]",
    ),
    (
        lambda: diagonal.matrix_diag(np.array(1)),
        "diagonal must be at least 1-dim, received shape: []",
    ),
    (
        lambda: diagonal.matrix_set_diag(X, np.zeros(3)),
        "the diagonal of a tensor of shape [2,3] must have shape [2], got [3]",
    ),
    (
        lambda: diagonal.diag_part(X),
        "Invalid shape [2,3]: its rank must be even and positive, and both halves must match, as",
    ),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
