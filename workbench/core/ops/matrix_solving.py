"""Inverses, determinants and the solutions of linear systems."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import linalg as kernels
from workbench.core.ops import api, matrix_shapes
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample

_REGULAR = [[2.0, 1.0], [-1.0, 4.0]]
_INVERSE = [[4 / 9, -1 / 9], [1 / 9, 2 / 9]]


def _inverse_gradient(op: Any, grad: Any) -> Any:
    inverse = op.outputs[0]
    if op.attrs["adjoint"]:
        return -api.matmul(inverse, api.matmul(grad, inverse, adjoint_a=True))
    return -api.matmul(inverse, api.matmul(grad, inverse, adjoint_b=True), adjoint_a=True)


declare(
    "MatrixInverse",
    inputs="input: T",
    outputs="output: T",
    attrs=f"adjoint: bool = false, T: {matrix_shapes.TYPES}",
    shape=matrix_shapes.square,
    kernel=kernels.matrix_inverse,
    gradient=_inverse_gradient,
    expensive=True,
    samples=[
        sample(_REGULAR, want=_INVERSE),
        sample(_REGULAR, adjoint=True, want=[[4 / 9, 1 / 9], [-1 / 9, 2 / 9]]),
    ],
)


def _batch_of(op: Any) -> list[Any]:
    batch, _ = matrix_shapes.square_entries(op.inputs[0].entries, "input")
    return [batch] * len(op.outputs)


def _as_matrices(numbers: Tensor) -> Any:
    """One number per matrix, with two axes of size 1 behind."""
    return api.expand_dims(api.expand_dims(numbers, -1), -1)


def _determinant_gradient(op: Any, grad: Any) -> Any:
    inverse = matrix_inverse(op.inputs[0], adjoint=True)
    return _as_matrices(grad * api.conj(op.outputs[0])) * inverse


declare(
    "MatrixDeterminant",
    inputs="input: T",
    outputs="output: T",
    attrs="T: {float, double, complex64, complex128}",
    shape=_batch_of,
    kernel=kernels.matrix_determinant,
    gradient=_determinant_gradient,
    expensive=True,
    samples=[
        sample(_REGULAR, want=9.0),
        sample([_REGULAR, [[1.0, 2.0], [3.0, 5.0]]], want=[9.0, -1.0]),
    ],
)


def _log_determinant_gradient(op: Any, for_sign: Any, for_logarithm: Any) -> Any:
    # The sign of a real determinant is constant where it is differentiable.
    return _as_matrices(for_logarithm) * matrix_inverse(op.inputs[0], adjoint=True)


declare(
    "LogMatrixDeterminant",
    inputs="input: T",
    outputs="sign: T, log_abs_determinant: T",
    attrs="T: {float, double, complex64, complex128}",
    shape=_batch_of,
    kernel=kernels.log_matrix_determinant,
    gradient=_log_determinant_gradient,
    expensive=True,
    samples=[sample([[1.0, 2.0], [3.0, 4.0]], want=(-1.0, 0.6931471805599453))],
)


def _solve_gradient(op: Any, grad: Any) -> list[Any]:
    matrix, adjoint, solution = op.inputs[0], op.attrs["adjoint"], op.outputs[0]
    for_rhs = matrix_solve(matrix, grad, adjoint=not adjoint)
    if adjoint:
        return [-api.matmul(solution, for_rhs, adjoint_b=True), for_rhs]
    return [-api.matmul(for_rhs, solution, adjoint_b=True), for_rhs]


_RHS = [[1.0], [5.0]]
declare(
    "MatrixSolve",
    inputs="matrix: T, rhs: T",
    outputs="output: T",
    attrs=f"adjoint: bool = false, T: {matrix_shapes.TYPES}",
    shape=lambda op: matrix_shapes.system(op, is_square=True),
    kernel=kernels.matrix_solve,
    gradient=_solve_gradient,
    expensive=True,
    samples=[
        sample(_REGULAR, _RHS, want=[[-1 / 9], [11 / 9]]),
        sample(_REGULAR, _RHS, adjoint=True, want=[[1.0], [1.0]]),
    ],
)


def _triangular_gradient(op: Any, grad: Any) -> list[Any]:
    matrix, solution = op.inputs[0], op.outputs[0]
    adjoint, lower = op.attrs["adjoint"], op.attrs["lower"]
    for_rhs = matrix_triangular_solve(matrix, grad, lower=lower, adjoint=not adjoint)
    if adjoint:
        for_matrix = -api.matmul(solution, for_rhs, adjoint_b=True)
    else:
        for_matrix = -api.matmul(for_rhs, solution, adjoint_b=True)
    band = (-1, 0) if lower else (0, -1)
    return [api.matrix_band_part(for_matrix, *band), for_rhs]


declare(
    "MatrixTriangularSolve",
    inputs="matrix: T, rhs: T",
    outputs="output: T",
    attrs=f"lower: bool = true, adjoint: bool = false, T: {matrix_shapes.TYPES}",
    shape=lambda op: matrix_shapes.system(op, is_square=True),
    kernel=kernels.matrix_triangular_solve,
    gradient=_triangular_gradient,
    expensive=True,
    samples=[
        sample([[2.0, 7.0], [1.0, 4.0]], _RHS, want=[[0.5], [1.125]]),
        sample([[2.0, 1.0], [7.0, 4.0]], _RHS, lower=False, want=[[-0.125], [1.25]]),
        sample([[2.0, 7.0], [1.0, 4.0]], _RHS, adjoint=True, want=[[-0.125], [1.25]]),
    ],
)


def _gramian_cholesky(matrix: Tensor, regularizer: Tensor, first_kind: bool) -> Any:
    """The Cholesky factor of A^H A (first kind) or A A^H with `regularizer` on its diagonal."""
    gramian = api.matmul(matrix, matrix, adjoint_a=first_kind, adjoint_b=not first_kind)
    diagonal = api.matrix_diag_part(gramian) + regularizer
    return api.cholesky(api.matrix_set_diag(gramian, diagonal))


def _least_squares_gradient(op: Any, grad: Any) -> list[Any]:
    matrix, rhs, weight = op.inputs
    if not op.attrs["fast"]:
        raise ValueError("Gradient not defined for fast=False")
    regularizer = api.cast(weight, matrix.dtype.base_dtype)
    rows, columns = (d.value for d in matrix.shape[-2:]) if matrix.shape.ndims else (None, None)
    if rows is None or columns is None:
        raise ValueError(
            "The gradient of tf.matrix_solve_ls needs to know the rows and columns of matrix "
            f"before a run, but its shape is {matrix.shape}: give it one with set_shape"
        )
    if rows >= columns:
        return [*_overdetermined(op, matrix, rhs, regularizer, grad), None]
    return [*_underdetermined(matrix, rhs, regularizer, grad), None]


def _overdetermined(
    op: Any, matrix: Tensor, rhs: Tensor, regularizer: Tensor, grad: Any
) -> list[Any]:
    factor = _gramian_cholesky(matrix, regularizer, True)
    z = cholesky_solve(factor, grad)
    outer = api.matmul(op.outputs[0], z, adjoint_b=True)
    symmetric = outer + matrix_shapes.adjoint(outer)
    for_matrix = api.matmul(rhs, z, adjoint_b=True) - api.matmul(matrix, symmetric)
    return [for_matrix, api.matmul(matrix, z)]


def _underdetermined(matrix: Tensor, rhs: Tensor, regularizer: Tensor, grad: Any) -> list[Any]:
    factor = _gramian_cholesky(matrix, regularizer, False)
    for_rhs = cholesky_solve(factor, api.matmul(matrix, grad))
    z = cholesky_solve(factor, rhs)
    back = api.matmul(for_rhs, api.matmul(z, matrix, adjoint_a=True))
    rest = grad - api.matmul(matrix, for_rhs, adjoint_a=True)
    return [api.matmul(z, rest, adjoint_b=True) - back, for_rhs]


declare(
    "MatrixSolveLs",
    inputs="matrix: T, rhs: T, l2_regularizer: double",
    outputs="output: T",
    attrs=f"T: {matrix_shapes.TYPES}, fast: bool = true",
    shape=lambda op: matrix_shapes.system(op, is_square=False),
    kernel=kernels.matrix_solve_ls,
    gradient=_least_squares_gradient,
    expensive=True,
    samples=[
        sample([[1.0], [1.0]], [[1.0], [2.0]], 0.0, gradient=(0, 1), want=[[1.5]]),
        sample([[1.0], [1.0]], [[1.0], [2.0]], 1.0, gradient=(0, 1), want=[[1.0]]),
        sample([[1.0, 1.0]], [[3.0]], 1.0, gradient=(0, 1), want=[[1.0], [1.0]]),
        sample([[1.0, 1.0]], [[3.0]], 0.0, fast=False, gradient=(), want=[[1.5], [1.5]]),
    ],
)


def matrix_inverse(input: Any, adjoint: bool | None = None, name: str | None = None) -> Tensor:
    """The inverse of each innermost square matrix, or of its adjoint.

    >>> import workbench as tf
    >>> tf.matrix_inverse([[2.0, 0.0], [0.0, 4.0]]).eval().tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return call("MatrixInverse", name, input=input, adjoint=adjoint)


def matrix_determinant(input: Any, name: str | None = None) -> Tensor:
    """The determinant of each innermost square matrix."""
    return call("MatrixDeterminant", name, input=input)


def slogdet(input: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The sign and the logarithm of the size of each matrix' determinant."""
    sign, logarithm = create("LogMatrixDeterminant", name, input=input).outputs
    return sign, logarithm


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithm of the determinant of a hermitian positive definite matrix."""
    with name_scope(name, "logdet", [matrix]):
        diagonal = api.real(api.matrix_diag_part(api.cholesky(matrix)))
        total: Tensor = 2.0 * api.reduce_sum(api.log(diagonal), [-1])
        return total


def matrix_solve(
    matrix: Any, rhs: Any, adjoint: bool | None = None, name: str | None = None
) -> Tensor:
    """The x with `matrix` x = `rhs`, for each matrix of a batch; or with the adjoint of `matrix`.

    >>> import workbench as tf
    >>> tf.matrix_solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [2.0]]).eval().tolist()
    [[1.0], [0.5]]
    """
    return call("MatrixSolve", name, matrix=matrix, rhs=rhs, adjoint=adjoint)


def matrix_triangular_solve(
    matrix: Any,
    rhs: Any,
    lower: bool | None = None,
    adjoint: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """As `matrix_solve` for a `lower` (or upper) triangle; the rest of `matrix` is not read."""
    return call("MatrixTriangularSolve", name, matrix=matrix, rhs=rhs, lower=lower, adjoint=adjoint)


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """The x with A x = `rhs`, where `chol` is the Cholesky factor of A.

    >>> import workbench as tf
    >>> tf.cholesky_solve([[2.0]], [[8.0]]).eval().tolist()
    [[2.0]]
    """
    with name_scope(name, "cholesky_solve", [chol, rhs]):
        half = matrix_triangular_solve(chol, rhs, lower=True, adjoint=False)
        return matrix_triangular_solve(chol, half, lower=True, adjoint=True)


def matrix_solve_ls(
    matrix: Any,
    rhs: Any,
    l2_regularizer: Any = 0.0,
    fast: bool = True,
    name: str | None = None,
) -> Tensor:
    """The x for which the squares of `matrix` x - `rhs` are least, for each matrix of a batch.

    `fast` solves the normal equations, with `l2_regularizer` times the squares of x added; without
    it the x of least norm is found for any rank, and the regularizer is not used.

    >>> import workbench as tf
    >>> tf.matrix_solve_ls([[1.0], [1.0]], [[1.0], [2.0]]).eval().round(3).tolist()
    [[1.5]]
    """
    with name_scope(name, "matrix_solve_ls", [matrix, rhs]) as scope:
        weight = convert_to_tensor(l2_regularizer, name="l2_regularizer")
        if weight.dtype != "float64":
            weight = api.cast(weight, "float64")
        return call(
            "MatrixSolveLs", scope, matrix=matrix, rhs=rhs, l2_regularizer=weight, fast=fast
        )
