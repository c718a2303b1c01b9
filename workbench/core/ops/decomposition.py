"""Matrices taken apart: Cholesky, QR, eigenvalues of symmetric ones, singular values."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import linalg as kernels
from workbench.core.ops import api, matrix_shapes, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.matrix_shapes import adjoint, joined, smaller

_TYPES = matrix_shapes.TYPES
_DEFINITE = [[4.0, 2.0], [2.0, 5.0]]
_FACTOR = [[2.0, 0.0], [1.0, 2.0]]


def _cholesky_gradient(op: Any, grad: Any) -> Any:
    """The symmetric gradient: L^-H P(L^H dL) L^-1, where P halves the diagonal of a triangle."""
    factor = op.outputs[0]
    middle = api.matmul(factor, grad, adjoint_a=True)
    middle = api.matrix_set_diag(middle, 0.5 * api.matrix_diag_part(middle))
    middle = api.matrix_band_part(middle, -1, 0)
    half = api.matrix_triangular_solve(factor, middle, lower=True, adjoint=True)
    whole: Any = adjoint(
        api.matrix_triangular_solve(factor, adjoint(half), lower=True, adjoint=True)
    )
    return 0.5 * (whole + adjoint(whole))


declare(
    "Cholesky",
    inputs="input: T",
    outputs="output: T",
    attrs=f"T: {_TYPES}",
    shape=matrix_shapes.square,
    kernel=kernels.cholesky,
    gradient=_cholesky_gradient,
    expensive=True,
    # The gradient is that of symmetric changes, which single differences are not.
    samples=[
        sample(_DEFINITE, want=_FACTOR, gradient=()),
        sample([_DEFINITE], want=[_FACTOR], gradient=()),
    ],
)
declare(
    "CholeskyGrad",
    inputs="l: T, grad: T",
    outputs="output: T",
    attrs="T: {float, double}",
    shape=matrix_shapes.square,
    kernel=kernels.cholesky_grad,
    gradient=None,
    expensive=True,
    samples=[sample([[2.0]], [[1.0]], want=[[0.25]])],
)


def _qr_shape(op: Any) -> list[Any]:
    batch, rows, columns = matrix_shapes.matrix_entries(op.inputs[0].entries, "input")
    inner = rows if op.attrs["full_matrices"] else smaller(rows, columns)
    return [joined(batch, rows, inner), joined(batch, inner, columns)]


def _times_inverse_adjoint(x: Any, triangle: Tensor) -> Tensor:
    """x R^-H for an upper triangle R."""
    return adjoint(api.matrix_triangular_solve(triangle, adjoint(x), lower=False, adjoint=False))


def _qr_gradient(op: Any, for_q: Any, for_r: Any) -> Any:
    q, r = op.outputs
    rows, columns = (d.value for d in r.shape[-2:]) if r.shape.ndims else (None, None)
    if rows is not None and columns is not None and rows != columns:
        raise NotImplementedError(
            "The gradient of tf.qr is implemented for matrices with at least as many rows as "
            "columns, without full_matrices where there are more"
        )
    # The diagonal of R is real, so only the real part of the middle's diagonal counts.
    middle = api.matmul(for_r, r, adjoint_b=True) - api.matmul(q, for_q, adjoint_a=True)
    middle = api.matrix_band_part(middle, 0, -1)
    middle = middle + adjoint(middle)
    middle = api.matrix_set_diag(middle, 0.5 * api.matrix_diag_part(middle))
    return _times_inverse_adjoint(for_q + api.matmul(q, middle), r)


declare(
    "Qr",
    inputs="input: T",
    outputs="q: T, r: T",
    attrs=f"full_matrices: bool = false, T: {_TYPES}",
    shape=_qr_shape,
    kernel=kernels.qr,
    gradient=_qr_gradient,
    expensive=True,
    samples=[
        sample([[3.0, 1.0], [4.0, 2.0], [1.0, -1.0]], want=lambda x: np.linalg.qr(x)),
        sample([[3.0], [4.0]], full_matrices=True, gradient=()),
    ],
)


def _eigen_shape(op: Any) -> list[Any]:
    batch, size = matrix_shapes.square_entries(op.inputs[0].entries, "input")
    vectors = joined(batch, size, size) if op.attrs["compute_v"] else (0,)
    return [joined(batch, size), vectors]


def _reciprocal_differences(values: Tensor) -> Any:
    """1 / (values[j] - values[i]) at [i, j], with zeros on the diagonal."""
    differences = api.expand_dims(values, -2) - api.expand_dims(values, -1)
    safe = api.matrix_set_diag(differences, api.ones_like(values))
    return api.matrix_set_diag(api.reciprocal(safe), api.zeros_like(values))


def _eigen_gradient(op: Any, for_values: Any, for_vectors: Any) -> Any:
    values, vectors = op.outputs
    middle = api.matrix_diag(for_values)
    if op.attrs["compute_v"]:
        turned = api.matmul(vectors, for_vectors, adjoint_a=True)
        middle = middle + _reciprocal_differences(values) * turned
    else:
        vectors = create("SelfAdjointEigV2", None, input=op.inputs[0]).outputs[1]
    whole = api.matmul(vectors, api.matmul(middle, vectors, adjoint_b=True))
    # Only the lower triangle is read: what the upper one would receive goes to its mirror image.
    lower = api.matrix_band_part(whole + adjoint(whole), -1, 0)
    return api.matrix_set_diag(lower, 0.5 * api.matrix_diag_part(lower))


_SYMMETRIC = [[2.0, 1.0], [1.0, 4.0]]
declare(
    "SelfAdjointEigV2",
    inputs="input: T",
    outputs="e: T, v: T",
    attrs=f"compute_v: bool = true, T: {_TYPES}",
    shape=_eigen_shape,
    kernel=kernels.self_adjoint_eig_v2,
    gradient=_eigen_gradient,
    expensive=True,
    samples=[
        sample(_SYMMETRIC, want=lambda x: tuple(np.linalg.eigh(x))),
        sample(
            [_SYMMETRIC], compute_v=False, want=([[3.0 - 2.0**0.5, 3.0 + 2.0**0.5]], np.zeros(0))
        ),
    ],
)


def _svd_shape(op: Any) -> list[Any]:
    batch, rows, columns = matrix_shapes.matrix_entries(op.inputs[0].entries, "input")
    inner = smaller(rows, columns)
    if not op.attrs["compute_uv"]:
        return [joined(batch, inner), (0,), (0,)]
    if op.attrs["full_matrices"]:
        return [joined(batch, inner), joined(batch, rows, rows), joined(batch, columns, columns)]
    return [joined(batch, inner), joined(batch, rows, inner), joined(batch, columns, inner)]


def _svd_gradient(op: Any, for_s: Any, for_u: Any, for_v: Any) -> Any:
    """With A = U S V^H: the parts inside the two bases, then those outside of them."""
    matrix = op.inputs[0]
    if not op.attrs["compute_uv"]:
        _, u, v = create("Svd", None, input=matrix).outputs
        return api.matmul(u * api.expand_dims(for_s, -2), v, adjoint_b=True)
    s, u, v = op.outputs
    rows, columns = (d.value for d in matrix.shape[-2:]) if matrix.shape.ndims else (None, None)
    bordered = op.attrs["full_matrices"] and (rows is None or rows != columns)
    if bordered:
        if rows is None or columns is None or abs(rows - columns) > 1:
            raise NotImplementedError(
                "The gradient of tf.svd with full_matrices=True is implemented for matrices of "
                "known sizes that differ by at most 1: use full_matrices=False"
            )
        # The one vector that is left over belongs to a singular value of 0: the matrix is seen as
        # a square one, with a row or a column of zeros.
        s, for_s = _bordered(s, 1), _bordered(for_s, 1)
        if rows > columns:
            v, for_v = _bordered(v, 2) + _corner(rows, v), _bordered(for_v, 2)
        else:
            u, for_u = _bordered(u, 2) + _corner(columns, u), _bordered(for_u, 2)
    shape_rules.at_least_rank(matrix.entries, 2, "tensor")
    across, down = api.expand_dims(s, -2), api.expand_dims(s, -1)
    weights = _reciprocal_differences(api.square(s))
    in_u = api.matmul(u, for_u, adjoint_a=True)
    in_v = api.matmul(v, for_v, adjoint_a=True)
    inside = weights * (in_u - adjoint(in_u)) * across
    inside = inside + down * (weights * (in_v - adjoint(in_v))) + api.matrix_diag(for_s)
    if matrix.dtype.is_complex:
        # The phase of each pair of vectors is free: what would turn it is shared out by s.
        phase = api.matrix_diag_part(in_v)
        divisor = _bordered(op.outputs[0], 1, 1.0) if bordered else s
        inside = inside + api.matrix_diag(0.5 * (api.conj(phase) - phase) / divisor)
    result = api.matmul(u, api.matmul(inside, v, adjoint_b=True))
    if bordered:
        return result[..., :rows, :columns]
    if rows is None or columns is None or rows > columns:
        outside = (for_u - api.matmul(u, in_u)) / across
        result = result + api.matmul(outside, v, adjoint_b=True)
    if rows is None or columns is None or rows < columns:
        outside = (for_v - api.matmul(v, in_v)) / across
        result = result + api.matmul(u, outside, adjoint_b=True)
    return result


def _bordered(tensor: Tensor, axes: int, value: float = 0.0) -> Any:
    """A tensor with one element more, `value`, along each of its last axes."""
    inner = len(tensor.shape.as_list()) - axes
    return api.pad(tensor, [[0, 0]] * inner + [[0, 1]] * axes, constant_values=value)


def _corner(size: int, like: Tensor) -> Any:
    """A square of zeros with a 1 in its last corner."""
    square = np.zeros([size, size], like.dtype.as_numpy_dtype)
    square[-1, -1] = 1.0
    return square


_TALL = [[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]
declare(
    "Svd",
    inputs="input: T",
    outputs="s: T, u: T, v: T",
    attrs=f"compute_uv: bool = true, full_matrices: bool = false, T: {_TYPES}",
    shape=_svd_shape,
    kernel=kernels.svd,
    gradient=_svd_gradient,
    expensive=True,
    samples=[
        sample(_TALL),
        sample([[1.0, 3.0, 0.5], [2.0, -1.0, 4.0]]),
        sample(_TALL, full_matrices=True),
        sample(
            _TALL,
            compute_uv=False,
            want=lambda x: (np.linalg.svd(x, compute_uv=False), np.zeros(0), np.zeros(0)),
        ),
    ],
)


def cholesky(input: Any, name: str | None = None) -> Tensor:
    """The lower triangle L of each innermost matrix with L L^H the matrix.

    The matrices are hermitian and positive definite; their lower triangles alone are read.

    >>> import workbench as tf
    >>> tf.cholesky([[4.0, 2.0], [2.0, 5.0]]).eval().tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    return call("Cholesky", name, input=input)


def qr(
    input: Any, full_matrices: bool | None = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Unitary q and upper triangular r of each innermost matrix, with q r the matrix."""
    q, r = create("Qr", name, input=input, full_matrices=full_matrices).outputs
    return q, r


def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The eigenvalues, in ascending order, and eigenvectors (columns) of hermitian matrices.

    >>> import workbench as tf
    >>> values, vectors = tf.self_adjoint_eig([[1.0, 0.0], [0.0, 3.0]])
    >>> values.eval().tolist()
    [1.0, 3.0]
    """
    values, vectors = create("SelfAdjointEigV2", name, input=tensor, compute_v=True).outputs
    return values, vectors


def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues of hermitian matrices, in ascending order."""
    return create("SelfAdjointEigV2", name, input=tensor, compute_v=False).outputs[0]


def svd(
    tensor: Any,
    full_matrices: bool = False,
    compute_uv: bool = True,
    name: str | None = None,
) -> Any:
    """The singular values s, and u and v with u diag(s) v^H each innermost matrix.

    Returns (s, u, v), or s alone with `compute_uv=False`; s is real and in descending order.

    >>> import workbench as tf
    >>> s, u, v = tf.svd([[0.0, 2.0], [1.0, 0.0]])
    >>> s.eval().tolist()
    [2.0, 1.0]
    """
    s, u, v = create(
        "Svd", name, input=tensor, compute_uv=compute_uv, full_matrices=full_matrices
    ).outputs
    values = api.real(s)
    return (values, u, v) if compute_uv else values
