"""Diagonals of tensors, of their innermost matrices, and bands around them."""

from __future__ import annotations

import math

import numpy as np

from workbench.core.kernels.support import invalid, spelled


def matrix_band_part(input: np.ndarray, num_lower: np.ndarray, num_upper: np.ndarray) -> np.ndarray:
    """Keep the diagonal, ``num_lower`` below and ``num_upper`` above it; negative keeps all.

    >>> matrix_band_part(np.ones((3, 3), int), np.array(-1), np.array(0))
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 1, 1]])
    """
    input = np.asarray(input)
    rows, columns = _matrix_shape(input)
    lower, upper = int(num_lower), int(num_upper)
    for name, value, limit, what in (
        ("num_lower", lower, rows, "rows"),
        ("num_upper", upper, columns, "columns"),
    ):
        if value > limit:
            raise invalid(
                f"{name} must be negative or less or equal to number of {what} ({limit}) got: "
                f"{value}"
            )
    distance = np.arange(columns) - np.arange(rows)[:, np.newaxis]
    kept = np.ones((rows, columns), np.bool_)
    if lower >= 0:
        kept &= distance >= -lower
    if upper >= 0:
        kept &= distance <= upper
    return np.where(kept, input, np.zeros((), input.dtype))


def matrix_diag(diagonal: np.ndarray) -> np.ndarray:
    """Square matrices with the innermost vectors on their diagonals.

    >>> matrix_diag(np.array([1, 2]))
    array([[1, 0],
           [0, 2]])
    """
    diagonal = np.asarray(diagonal)
    if not diagonal.ndim:
        raise invalid("diagonal must be at least 1-dim, received shape: []")
    size = diagonal.shape[-1]
    result = np.zeros((*diagonal.shape, size), diagonal.dtype)
    index = np.arange(size)
    result[..., index, index] = diagonal
    return result


def matrix_diag_part(input: np.ndarray) -> np.ndarray:
    """A view of the diagonals of the innermost matrices.

    >>> matrix_diag_part(np.array([[1, 2, 3], [4, 5, 6]]))
    array([1, 5])
    """
    input = np.asarray(input)
    _matrix_shape(input)
    return np.diagonal(input, axis1=-2, axis2=-1)


def matrix_set_diag(input: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """The matrices of ``input`` with other diagonals.

    >>> matrix_set_diag(np.ones((2, 3), int), np.array([7, 8]))
    array([[7, 1, 1],
           [1, 8, 1]])
    """
    input, diagonal = np.asarray(input), np.asarray(diagonal)
    size = min(_matrix_shape(input))
    if diagonal.shape != (*input.shape[:-2], size):
        raise invalid(
            f"the diagonal of a tensor of shape {spelled(input.shape)} must have shape "
            f"{spelled((*input.shape[:-2], size))}, got {spelled(diagonal.shape)}"
        )
    result = input.copy()
    index = np.arange(size)
    result[..., index, index] = diagonal
    return result


def diag(diagonal: np.ndarray) -> np.ndarray:
    """A tensor of twice the rank, zero except where both halves of the index are equal.

    >>> diag(np.array([1, 2]))
    array([[1, 0],
           [0, 2]])
    """
    diagonal = np.asarray(diagonal)
    size = diagonal.size
    result = np.zeros((size, size), diagonal.dtype)
    index = np.arange(size)
    result[index, index] = diagonal.reshape(-1)
    return result.reshape(diagonal.shape * 2)


def diag_part(input: np.ndarray) -> np.ndarray:
    """The elements of ``input`` at which both halves of the index are equal.

    >>> diag_part(np.array([[1, 2], [3, 4]]))
    array([1, 4])
    """
    input = np.asarray(input)
    half = input.ndim // 2
    if input.ndim % 2 or not half or input.shape[:half] != input.shape[half:]:
        raise invalid(
            f"Invalid shape {spelled(input.shape)}: its rank must be even and positive, and both "
            "halves must match, as in [2,3,2,3]"
        )
    size = math.prod(input.shape[:half])
    return np.diagonal(input.reshape(size, size)).reshape(input.shape[:half])


def _matrix_shape(input: np.ndarray) -> tuple[int, int]:
    if input.ndim < 2:
        raise invalid(f"input must be at least 2-dim, received shape: {spelled(input.shape)}")
    return input.shape[-2], input.shape[-1]
