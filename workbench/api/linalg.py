"""`tf.linalg`: linear algebra."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.matmul": "matmul",
    "workbench.core.ops.matrix_shapes": "adjoint",
    "workbench.core.ops.transposition": "transpose=matrix_transpose",
    "workbench.core.ops.matrix_functions": "expm",
    "workbench.core.ops.matrix_solving": """
        det=matrix_determinant inv=matrix_inverse logdet slogdet solve=matrix_solve
        triangular_solve=matrix_triangular_solve cholesky_solve lstsq=matrix_solve_ls
        """,
    "workbench.core.ops.decomposition": """
        cholesky eigh=self_adjoint_eig eigvalsh=self_adjoint_eigvals qr svd
        """,
    "workbench.core.ops.diagonal": """
        band_part=matrix_band_part diag=matrix_diag diag_part=matrix_diag_part
        set_diag=matrix_set_diag eye trace
        """,
    "workbench.core.ops.contraction": "tensordot",
    "workbench.core.ops.einsum": "einsum",
    "workbench.core.ops.vectors": "cross norm",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
