"""Exponentials of matrices, by a quotient of polynomials and repeated squaring (Higham, 2005)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.core.kernels.support import invalid, spelled

Array = np.ndarray[Any, Any]

#: The polynomial above the fraction line, from the constant on; below it every second sign changes.
_COEFFICIENTS = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0,
    40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
#: Up to this 1-norm the quotient is exact to double precision.
_LARGEST_NORM = 5.371920351148152


def matrix_exponential(input: Array) -> Array:
    """The exponentials of square matrices: 1 + A + A A / 2 + ...

    >>> matrix_exponential(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[1., 1.],
           [0., 1.]])
    """
    matrices = np.asarray(input)
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2]:
        raise invalid(f"Input must be square matrices, got shape {spelled(matrices.shape)}")
    if not matrices.size:
        return matrices.copy()
    wide = matrices.astype(np.result_type(matrices.dtype, np.float64))
    flat = wide.reshape(-1, *matrices.shape[-2:])
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.stack([_exponential(matrix) for matrix in flat])
        return found.reshape(matrices.shape).astype(matrices.dtype)


def _exponential(matrix: Array) -> Array:
    norm = float(np.abs(matrix).sum(0).max())
    if not math.isfinite(norm):
        return np.full_like(matrix, np.nan)
    halvings = max(0, math.ceil(math.log2(norm / _LARGEST_NORM))) if norm else 0
    matrix = matrix / 2.0**halvings
    power, square = np.eye(len(matrix), dtype=matrix.dtype), matrix @ matrix
    even, odd = np.zeros_like(matrix), np.zeros_like(matrix)
    for plain, times in zip(_COEFFICIENTS[::2], _COEFFICIENTS[1::2], strict=True):
        even += plain * power
        odd += times * power
        power = power @ square
    odd = matrix @ odd
    found: Array = np.linalg.solve(even - odd, even + odd)
    for _ in range(halvings):
        found = found @ found
    return found
