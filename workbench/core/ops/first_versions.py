"""The names that operations on batches of matrices had before one operation did for both.

They do what their successors do, for fewer types: graphs from long ago have them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.ops import decomposition as decomposition
from workbench.core.ops import diagonal as diagonal
from workbench.core.ops import matrix_shapes, registry
from workbench.core.ops import matrix_solving as matrix_solving
from workbench.core.ops import spectral as spectral
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

_REAL = "T: {double, float}"
#: The successor of each, its inputs, outputs and attributes.
_RENAMED = {
    "BatchCholesky": ("Cholesky", "input: T", "output: T", _REAL),
    "BatchCholeskyGrad": ("CholeskyGrad", "l: T, grad: T", "output: T", _REAL),
    "BatchMatrixDeterminant": (
        "MatrixDeterminant",
        "input: T",
        "output: T",
        "T: {float, double, complex64, complex128}",
    ),
    "BatchMatrixInverse": (
        "MatrixInverse",
        "input: T",
        "output: T",
        f"adjoint: bool = false, {_REAL}",
    ),
    "BatchMatrixSolve": (
        "MatrixSolve",
        "matrix: T, rhs: T",
        "output: T",
        f"adjoint: bool = false, {_REAL}",
    ),
    "BatchMatrixSolveLs": (
        "MatrixSolveLs",
        "matrix: T, rhs: T, l2_regularizer: double",
        "output: T",
        f"{_REAL}, fast: bool = true",
    ),
    "BatchMatrixTriangularSolve": (
        "MatrixTriangularSolve",
        "matrix: T, rhs: T",
        "output: T",
        f"lower: bool = true, adjoint: bool = false, {_REAL}",
    ),
    "BatchSelfAdjointEigV2": (
        "SelfAdjointEigV2",
        "input: T",
        "e: T, v: T",
        f"compute_v: bool = true, {_REAL}",
    ),
    "BatchSvd": (
        "Svd",
        "input: T",
        "s: T, u: T, v: T",
        "compute_uv: bool = true, full_matrices: bool = false, "
        "T: {double, float, complex64, complex128}",
    ),
    "BatchMatrixBandPart": (
        "MatrixBandPart",
        "input: T, num_lower: int64, num_upper: int64",
        "band: T",
        "T: type",
    ),
    "BatchMatrixDiag": ("MatrixDiag", "diagonal: T", "output: T", "T: type"),
    "BatchMatrixDiagPart": ("MatrixDiagPart", "input: T", "diagonal: T", "T: type"),
    "BatchMatrixSetDiag": ("MatrixSetDiag", "input: T, diagonal: T", "output: T", "T: type"),
    **{
        f"Batch{name}": (name, "input: complex64", "output: complex64", "")
        for name in ("FFT", "IFFT", "FFT2D", "IFFT2D", "FFT3D", "IFFT3D")
    },
}
for _type_name, (_successor, _inputs, _outputs, _attrs) in _RENAMED.items():
    _known = registry.get(_successor)
    declare(
        _type_name,
        inputs=_inputs,
        outputs=_outputs,
        attrs=_attrs,
        shape=_known.shape,
        kernel=_known.kernel,
        gradient=_known.gradient,
        expensive=_known.expensive,
        aliases_input=_known.aliases_input,
        samples=_known.samples[:1],
    )

# -- eigenvalues above eigenvectors --------------------------------------------------------------


def _stacked_shape(op: Any) -> list[Any]:
    batch, size = matrix_shapes.square_entries(op.inputs[0].entries, "input")
    rows = size + 1 if isinstance(size, int) else None
    return [matrix_shapes.joined(batch, rows, size)]


def _stacked(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Eigenvalues as the first row of a matrix, and eigenvectors as columns below it."""

    def eigen(input: Any) -> Any:
        values, vectors = kernel(input, compute_v=True)
        return np.concatenate([values[..., np.newaxis, :], vectors], axis=-2)

    return eigen


for _type_name in ("SelfAdjointEig", "BatchSelfAdjointEig"):
    declare(
        _type_name,
        inputs="input: T",
        outputs="output: T",
        attrs=_REAL,
        shape=_stacked_shape,
        kernel=_stacked(registry.get("SelfAdjointEigV2").kernel),  # type: ignore[arg-type]
        gradient=NOT_DIFFERENTIABLE,
        expensive=True,
        samples=[sample([[3.0, 0.0], [0.0, 7.0]], want=[[3.0, 7.0], [1.0, 0.0], [0.0, 1.0]])],
    )
