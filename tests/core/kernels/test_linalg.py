"""Matrix kernels by what they must satisfy, and against sums over permutations."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import linalg

rng = np.random.default_rng(27)
DTYPES = [np.float32, np.float64, np.complex64, np.complex128]
BATCHES: list[tuple[int, ...]] = [(), (2,), (2, 0), (2, 3)]


def random(shape: Any, dtype: Any) -> np.ndarray:
    drawn = rng.normal(size=shape)
    if np.issubdtype(dtype, np.complexfloating):
        drawn = drawn + 1j * rng.normal(size=shape)
    return drawn.astype(dtype)


def adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


def close(result: Any, expected: Any, dtype: Any, scale: float = 1.0) -> None:
    assert result.dtype == dtype
    tolerance = 200 * scale * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(result, expected, rtol=tolerance, atol=tolerance)


def positive(shape: Any, size: int, dtype: Any) -> np.ndarray:
    x = random((*shape, size, size), dtype)
    return (x @ adjoint(x) + size * np.eye(size)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES)
def test_inverse_solve_and_least_squares_agree(batch: Any, dtype: Any) -> None:
    matrix = (random((*batch, 4, 4), dtype) + 5 * np.eye(4)).astype(dtype)
    rhs = random((*batch, 4, 2), dtype)
    for flag in (False, True):
        operator = adjoint(matrix) if flag else matrix
        inverse = linalg.matrix_inverse(matrix, adjoint=flag)
        close(operator @ inverse, np.broadcast_to(np.eye(4), matrix.shape), dtype)
        solution = linalg.matrix_solve(matrix, rhs, adjoint=flag)
        close(operator @ solution, rhs, dtype, 3)
    for fast in (False, True):
        least = linalg.matrix_solve_ls(matrix, rhs, np.float64(0), fast=fast)
        close(matrix @ least, rhs, dtype, 10)


def by_permutations(matrix: np.ndarray) -> Any:
    total = 0.0
    for order in itertools.permutations(range(len(matrix))):
        swaps = sum(a > b for a, b in itertools.combinations(order, 2))
        total += (-1) ** swaps * math.prod(matrix[i, j] for i, j in enumerate(order))
    return total


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0, 1, 2, 4])
def test_determinants(size: int, dtype: Any) -> None:
    matrix = random((3, size, size), dtype)
    expected = np.array([by_permutations(one) for one in matrix]).astype(dtype)
    close(linalg.matrix_determinant(matrix), expected, dtype)
    sign, logarithm = linalg.log_matrix_determinant(matrix)
    assert sign.dtype == logarithm.dtype == dtype
    close(sign * np.exp(logarithm), expected, dtype, 4)
    singular = linalg.log_matrix_determinant(np.ones((2, 2), dtype))
    assert singular[0] == 0 and singular[1] == -math.inf


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("size", [0, 1, 5])
def test_cholesky_reads_the_lower_triangle(size: int, batch: Any, dtype: Any) -> None:
    matrix = positive(batch, size, dtype)
    factor = linalg.cholesky(np.tril(matrix) + np.triu(np.full_like(matrix, 7), 1))
    close(factor @ adjoint(factor), matrix, dtype)
    assert (np.triu(factor, 1) == 0).all()


def test_cholesky_gradient_by_finite_differences() -> None:
    matrix, upstream, step = positive((2,), 4, np.float64), random((2, 4, 4), np.float64), 1e-6
    gradient = linalg.cholesky_grad(linalg.cholesky(matrix), upstream)
    np.testing.assert_array_equal(gradient, adjoint(gradient))
    for row, column in itertools.product(range(4), repeat=2):
        change = np.zeros((4, 4))
        change[row, column] += step
        change[column, row] += step
        difference = linalg.cholesky(matrix + change) - linalg.cholesky(matrix - change)
        slope = (np.tril(upstream) * difference).sum(axis=(-2, -1)) / (2 * step)
        np.testing.assert_allclose(2 * gradient[:, row, column], slope, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("size", [1, 5, 40])
@pytest.mark.parametrize("lower", [True, False])
def test_triangular_solve(lower: bool, size: int, batch: Any, dtype: Any) -> None:
    full = (random((*batch, size, size), dtype) / size + 2 * np.eye(size)).astype(dtype)
    triangle = np.tril(full) if lower else np.triu(full)
    rhs = random((*batch, size, 3), dtype)
    for flag in (False, True):
        solution = linalg.matrix_triangular_solve(full, rhs, lower=lower, adjoint=flag)
        close((adjoint(triangle) if flag else triangle) @ solution, rhs, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "columns"), [(5, 3), (3, 5)])
def test_least_squares(rows: int, columns: int, dtype: Any) -> None:
    matrix, rhs = random((2, rows, columns), dtype), random((2, rows, 2), dtype)
    for fast, weight in ((True, 0.0), (True, 0.5), (False, 0.5)):
        solution = linalg.matrix_solve_ls(matrix, rhs, np.float64(weight), fast=fast)
        # Where the squares are least their gradient is zero; among those, the norm is least.
        added = weight if fast else 0.0
        slope = adjoint(matrix) @ (matrix @ solution - rhs) + added * solution
        close(slope, np.zeros_like(slope), dtype, 10)
        if rows < columns and not added:
            rest = solution - adjoint(matrix) @ np.linalg.solve(
                matrix @ adjoint(matrix), matrix @ solution
            )
            close(rest.astype(dtype), np.zeros_like(rest), dtype, 10)


def test_least_squares_of_deficient_rank() -> None:
    matrix = np.array([[1.0, 2.0], [2.0, 4.0]])
    solution = linalg.matrix_solve_ls(matrix, np.eye(2), np.float64(0), fast=False)
    np.testing.assert_allclose(solution, [[0.04, 0.08], [0.08, 0.16]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES)
def test_eigenvectors(batch: Any, dtype: Any) -> None:
    matrix = positive(batch, 4, dtype)
    values, vectors = linalg.self_adjoint_eig_v2(np.tril(matrix))
    close(matrix @ vectors, values[..., np.newaxis, :] * vectors, dtype, 10)
    close(adjoint(vectors) @ vectors, np.broadcast_to(np.eye(4), matrix.shape), dtype)
    assert values.dtype == dtype and (np.diff(values.real) >= 0).all()
    alone, none = linalg.self_adjoint_eig_v2(matrix, compute_v=False)
    close(alone, values, dtype, 10)
    assert none.shape == (0,) and none.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (2, 3, 3), (0, 3), (2, 0, 3, 2)])
@pytest.mark.parametrize("full", [True, False])
def test_svd_and_qr(full: bool, shape: Any, dtype: Any) -> None:
    matrix = random(shape, dtype)
    rows, columns = shape[-2:]
    inner = min(rows, columns)
    s, u, v = linalg.svd(matrix, full_matrices=full)
    assert u.shape == (*shape[:-2], rows, rows if full else inner)
    assert v.shape == (*shape[:-2], columns, columns if full else inner)
    assert s.dtype == dtype and (np.diff(s.real) <= 0).all() and (s.real >= 0).all()
    kept_u, kept_v = u[..., :inner], v[..., :inner]
    close(kept_u * s[..., np.newaxis, :] @ adjoint(kept_v), matrix, dtype)
    for unitary in (u, v):
        product = adjoint(unitary) @ unitary
        close(product, np.broadcast_to(np.eye(product.shape[-1]), product.shape), dtype)
    alone, none, nothing = linalg.svd(matrix, compute_uv=False)
    close(alone, s, dtype)
    assert none.shape == nothing.shape == (0,)

    q, r = linalg.qr(matrix, full_matrices=full)
    assert q.shape == (*shape[:-2], rows, rows if full else inner)
    close(q @ r, matrix, dtype)
    assert (np.tril(r, -1) == 0).all()


def test_what_is_not_finite_stays_in_its_own_matrix() -> None:
    matrices = np.array([[[2.0, 0.0], [0.0, 1.0]], [[math.nan, 0.0], [0.0, math.inf]]])
    values, vectors = linalg.self_adjoint_eig_v2(matrices)
    s, u, v = linalg.svd(matrices)
    assert values[0].tolist() == [1, 2] and s[0].tolist() == [2, 1]
    for result in (values, vectors, s, u, v):
        assert np.isnan(result[1]).all() and np.isfinite(result[0]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.complex64])
def test_cross(dtype: Any) -> None:
    a, b = (rng.integers(-5, 5, (4, 3)).astype(dtype) for _ in range(2))
    result = linalg.cross(a, b)
    assert result.dtype == dtype
    for x, y, z in zip(a, b, result, strict=True):
        expected = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]
        assert z.tolist() == [value.item() for value in expected]


SINGULAR, EYE = np.array([[1.0, 2.0], [2.0, 4.0]]), np.eye(2)
BATCH = np.stack([EYE, EYE, SINGULAR])
ERRORS = [
    (lambda: linalg.matrix_inverse(SINGULAR), "Input is not invertible: the matrix is singular"),
    (lambda: linalg.matrix_inverse(BATCH), "matrix [2] of the batch is singular"),
    (lambda: linalg.matrix_inverse(np.ones((2, 3))), "must be square, got shape (2, 3)"),
    (lambda: linalg.matrix_inverse(np.ones(3)), "rank >= 2"),
    (lambda: linalg.matrix_solve(SINGULAR, EYE), "Input matrix is not invertible"),
    (lambda: linalg.matrix_solve(EYE, np.ones((3, 1))), "matrix and rhs are incompatible"),
    (lambda: linalg.matrix_triangular_solve(np.tril(1 - EYE), EYE), "zero on its diagonal"),
    (lambda: linalg.cholesky(-EYE), "not successful. The input might not be valid"),
    (lambda: linalg.cholesky(-BATCH[[2, 0]] + 3 * EYE), "matrix [0] of the batch"),
    (lambda: linalg.matrix_solve_ls(SINGULAR, EYE, np.float64(0)), "rank deficient"),
    (lambda: linalg.matrix_solve_ls(EYE, EYE, np.float64(-1)), "l2_regularizer must be >= 0"),
    (lambda: linalg.cross(np.ones((2, 3)), np.ones((3, 3))), "same shape"),
    (lambda: linalg.cross(np.ones(2), np.ones(2)), "3-element vectors"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
