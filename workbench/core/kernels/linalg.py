"""Matrix kernels over any batch dimensions: inverses, determinants, decompositions, solutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.kernels.support import invalid, position

#: Rows eliminated one by one; larger triangles are halved, which leaves the work to matmul.
_SMALL_TRIANGLE = 16


def matrix_inverse(input: np.ndarray, *, adjoint: bool = False) -> np.ndarray:
    """The inverses of square matrices, or of their adjoints.

    >>> matrix_inverse(np.array([[2.0, 0.0], [0.0, 4.0]]))
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    matrix = _square(input)
    result = _regular(np.linalg.inv, "Input is not invertible", matrix, matrix)
    return _adjoint(result) if adjoint else result


def matrix_determinant(input: np.ndarray) -> np.ndarray:
    """The determinants of square matrices.

    >>> matrix_determinant(np.array([[2.0, 1.0], [0.0, 4.0]]))
    array(8.)
    """
    matrix = _square(input)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.linalg.det(matrix), matrix.dtype)


def log_matrix_determinant(input: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The signs of the determinants (of modulus 1 if complex), and the logarithms of their sizes.

    >>> log_matrix_determinant(np.array([[-1e200, 0.0], [0.0, 1e200]]))
    (array(-1.), array(921.0340372))
    """
    matrix = _square(input)
    sign, logarithm = np.linalg.slogdet(matrix)
    return np.asarray(sign, matrix.dtype), np.asarray(logarithm, matrix.dtype)


def cholesky(input: np.ndarray) -> np.ndarray:
    """The lower triangles L with L L^H the input, of which the lower triangle alone is read.

    >>> cholesky(np.array([[4.0, 2.0], [2.0, 2.0]]))
    array([[2., 0.],
           [1., 1.]])
    """
    matrix = _square(input)
    try:
        return np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        raise invalid(
            "Cholesky decomposition was not successful. The input might not be valid: "
            f"{_first_indefinite(matrix)} is not positive definite"
        ) from None


def cholesky_grad(l: np.ndarray, grad: np.ndarray) -> np.ndarray:  # noqa: E741
    """The symmetric gradient of ``cholesky`` from its result and the gradient of that.

    >>> cholesky_grad(np.array([[2.0]]), np.array([[1.0]]))
    array([[0.25]])
    """
    factor, upstream = _square(l), np.tril(np.asarray(grad))
    inner = np.tril(_adjoint(factor) @ upstream)
    diagonal = np.arange(factor.shape[-1])
    inner[..., diagonal, diagonal] *= 0.5
    left = _substitute(_adjoint(factor), inner, lower=False)
    whole = _adjoint(_substitute(_adjoint(factor), _adjoint(left), lower=False))
    return np.asarray((whole + _adjoint(whole)) * 0.5, factor.dtype)


def matrix_solve(matrix: np.ndarray, rhs: np.ndarray, *, adjoint: bool = False) -> np.ndarray:
    """The solutions X of ``matrix @ X = rhs``, or with the adjoint of ``matrix``.

    >>> matrix_solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([[2.0], [2.0]]))
    array([[1. ],
           [0.5]])
    """
    matrix, rhs = _system(_square(matrix), rhs)
    if adjoint:
        matrix = _adjoint(matrix)
    return _regular(np.linalg.solve, "Input matrix is not invertible", matrix, matrix, rhs)


def matrix_triangular_solve(
    matrix: np.ndarray, rhs: np.ndarray, *, lower: bool = True, adjoint: bool = False
) -> np.ndarray:
    """``matrix_solve`` of triangles; the other half of ``matrix`` is not read.

    >>> matrix_triangular_solve(np.array([[2.0, 9.0], [1.0, 1.0]]), np.array([[2.0], [2.0]]))
    array([[1.],
           [1.]])
    """
    matrix, rhs = _system(_square(matrix), rhs)
    singular = (np.diagonal(matrix, axis1=-2, axis2=-1) == 0).any(axis=-1)
    if singular.any():
        raise invalid(
            f"Input matrix is not invertible: {_named(singular)} has a zero on its diagonal"
        )
    if adjoint:
        matrix, lower = _adjoint(matrix), not lower
    with np.errstate(over="ignore", invalid="ignore"):
        return _substitute(matrix, rhs, lower=lower)


def matrix_solve_ls(
    matrix: np.ndarray, rhs: np.ndarray, l2_regularizer: np.ndarray, *, fast: bool = True
) -> np.ndarray:
    """The X for which the squares of ``matrix @ X - rhs`` are least.

    ``fast`` solves the normal equations, with ``l2_regularizer`` times the squares of X added;
    otherwise the X of least norm is found whatever the rank, and ``l2_regularizer`` is not used.

    >>> matrix_solve_ls(np.array([[1.0], [1.0]]), np.array([[1.0], [2.0]]), np.array(0.0))
    array([[1.5]])
    """
    matrix, rhs = _system(_matrix(matrix), rhs)
    weight = float(l2_regularizer)
    if weight < 0:
        raise invalid(f"l2_regularizer must be >= 0, got {weight}")
    rows, columns = matrix.shape[-2:]
    if not fast:
        return _least_norm(matrix, rhs)
    adjoint = _adjoint(matrix)
    tall = rows >= columns
    gramian = adjoint @ matrix if tall else matrix @ adjoint
    diagonal = np.arange(gramian.shape[-1])
    gramian[..., diagonal, diagonal] += gramian.dtype.type(weight)
    try:
        factor = np.linalg.cholesky(gramian)
    except np.linalg.LinAlgError:
        raise invalid(
            "Input matrix was rank deficient or ill-conditioned. Try setting fast=False or "
            "provide a larger l2_regularizer > 0."
        ) from None
    half = _substitute(factor, adjoint @ rhs if tall else rhs, lower=True)
    solution = _substitute(_adjoint(factor), half, lower=False)
    return solution if tall else adjoint @ solution


def self_adjoint_eig_v2(
    input: np.ndarray, *, compute_v: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues in ascending order, and the eigenvectors as columns (or an empty vector).

    The lower triangle alone is read. A matrix that is not finite has NaN everywhere.

    >>> self_adjoint_eig_v2(np.array([[2.0, 0.0], [0.0, 1.0]]))[0]
    array([1., 2.])
    """
    matrix, broken = _finite(_square(input))
    if not compute_v:
        values = np.linalg.eigvalsh(matrix, UPLO="L")
        vectors = np.zeros(0, matrix.dtype)
    else:
        values, vectors = np.linalg.eigh(matrix, UPLO="L")
        vectors[broken] = np.nan
    values[broken] = np.nan
    return values.astype(matrix.dtype), vectors


def svd(
    input: np.ndarray, *, compute_uv: bool = True, full_matrices: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular values s in descending order, and u and v with ``u @ diag(s) @ v^H`` the input.

    Mind that v is not adjoint, unlike NumPy's. Without ``compute_uv`` u and v are empty vectors.

    >>> svd(np.array([[0.0, 2.0], [1.0, 0.0]]))[0]
    array([2., 1.])
    """
    matrix, broken = _finite(_matrix(input))
    if not compute_uv:
        singular = np.linalg.svd(matrix, compute_uv=False)
        left = right = np.zeros(0, matrix.dtype)
    else:
        left, singular, adjoint = np.linalg.svd(matrix, full_matrices=full_matrices)
        right = _adjoint(adjoint)
        left[broken] = np.nan
        right[broken] = np.nan
    singular[broken] = np.nan
    return singular.astype(matrix.dtype), left, right


def qr(input: np.ndarray, *, full_matrices: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Unitary q and upper triangular r with ``q @ r`` the input.

    >>> q, r = qr(np.array([[3.0], [4.0]]))
    >>> np.abs(r)
    array([[5.]])
    """
    factors = np.linalg.qr(_matrix(input), mode="complete" if full_matrices else "reduced")
    return factors.Q, factors.R


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross products of vectors of three elements along the last dimension.

    >>> cross(np.array([1, 0, 0]), np.array([0, 1, 0]))
    array([0, 0, 1])
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise invalid(f"Both inputs must be of same shape: {a.shape} vs. {b.shape}")
    if not a.ndim or a.shape[-1] != 3:
        raise invalid(f"Cross-products are only defined for 3-element vectors, got shape {a.shape}")
    result = np.empty_like(a)
    for axis in range(3):
        after, last = (axis + 1) % 3, (axis + 2) % 3
        result[..., axis] = a[..., after] * b[..., last] - a[..., last] * b[..., after]
    return result


def _substitute(matrix: np.ndarray, rhs: np.ndarray, *, lower: bool) -> np.ndarray:
    """Solve with a triangle by substitution; its other half may hold anything."""
    size = matrix.shape[-1]
    if size > _SMALL_TRIANGLE:
        half = size // 2
        head, tail = slice(None, half), slice(half, None)
        first, second = (head, tail) if lower else (tail, head)
        one = _substitute(matrix[..., first, first], rhs[..., first, :], lower=lower)
        rest = rhs[..., second, :] - matrix[..., second, first] @ one
        two = _substitute(matrix[..., second, second], rest, lower=lower)
        return np.concatenate((one, two) if lower else (two, one), axis=-2)
    result = np.empty(rhs.shape, rhs.dtype)
    for row in range(size) if lower else range(size - 1, -1, -1):
        done = slice(None, row) if lower else slice(row + 1, None)
        known = matrix[..., row : row + 1, done] @ result[..., done, :]
        left = rhs[..., row : row + 1, :] - known
        result[..., row : row + 1, :] = left / matrix[..., row : row + 1, row : row + 1]
    return result


def _least_norm(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    bound = singular.max(axis=-1, initial=0.0, keepdims=True)
    bound = bound * (np.finfo(singular.dtype).eps * max(matrix.shape[-2:]))
    kept = singular > bound
    inverse = np.where(kept, 1.0 / np.where(kept, singular, 1.0), 0.0).astype(singular.dtype)
    result: np.ndarray = _adjoint(right) @ (inverse[..., np.newaxis] * (_adjoint(left) @ rhs))
    return result


def _regular(
    function: Callable[..., Any], message: str, matrix: np.ndarray, *arguments: np.ndarray
) -> np.ndarray:
    """Call a function of NumPy that refuses singular matrices, and say which one it was."""
    try:
        result: np.ndarray = function(*arguments)
        return result
    except np.linalg.LinAlgError:
        singular = np.linalg.slogdet(matrix).sign == 0
        raise invalid(f"{message}: {_named(singular)} is singular") from None


def _first_indefinite(matrix: np.ndarray) -> str:
    flags = np.zeros(matrix.shape[:-2], np.bool_)
    for index in np.ndindex(*flags.shape):
        try:
            np.linalg.cholesky(matrix[index])
        except np.linalg.LinAlgError:
            flags[index] = True
            break
    return _named(flags)


def _named(flags: np.ndarray) -> str:
    """How to call the first of a batch of matrices whose flag is set."""
    flags = np.asarray(flags)
    if not flags.ndim or not flags.any():
        return "the matrix"
    return f"matrix {position(flags.shape, int(flags.argmax()))} of the batch"


def _finite(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The matrices with zeros for those that are not finite, which LAPACK would reject."""
    broken = ~np.isfinite(matrix).all(axis=(-2, -1))
    if broken.any():
        matrix = np.where(broken[..., np.newaxis, np.newaxis], 0, matrix).astype(matrix.dtype)
    return matrix, broken


def _adjoint(matrix: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.conj(np.swapaxes(matrix, -1, -2))
    return result


def _matrix(input: np.ndarray) -> np.ndarray:
    matrix = np.asarray(input)
    if matrix.ndim < 2:
        raise invalid(
            f"Input tensor must have rank >= 2, the last two being matrices; got {matrix.shape}"
        )
    return matrix


def _square(input: np.ndarray) -> np.ndarray:
    matrix = _matrix(input)
    if matrix.shape[-1] != matrix.shape[-2]:
        raise invalid(f"Input matrix must be square, got shape {matrix.shape}")
    return matrix


def _system(matrix: np.ndarray, rhs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rhs = np.asarray(rhs)
    if rhs.ndim != matrix.ndim or rhs.shape[:-1] != matrix.shape[:-1]:
        raise invalid(
            f"Input matrix and rhs are incompatible: shapes {matrix.shape} and {rhs.shape} must "
            "agree up to the last dimension"
        )
    return matrix, rhs
