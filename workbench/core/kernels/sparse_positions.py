"""Positions of a sparse tensor's entries: as rows of coordinates and as numbers in memory order."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.support import invalid

Array = np.ndarray[Any, Any]


def bounded(indices: Array, shape: tuple[int, ...], name: str) -> None:
    """Raises unless every row of ``indices`` lies in ``shape``, naming the first that does not."""
    if indices.ndim != 2 or indices.shape[1] != len(shape):
        raise invalid(
            f"{name} must have shape [n, {len(shape)}], one coordinate for each axis, got "
            f"{list(indices.shape)}"
        )
    wrong = ((indices < 0) | (indices >= np.array(shape, np.int64))).any(axis=1)
    if wrong.any():
        at = int(wrong.argmax())
        raise invalid(
            f"{name}[{at}] = {indices[at].tolist()} is out of bounds: need 0 <= index < "
            f"{list(shape)}, this is an invalid index"
        )


def flat_positions(indices: Array, shape: tuple[int, ...], name: str) -> Array:
    """The number of each position when the dense tensor is laid out in memory.

    >>> flat_positions(np.array([[0, 1], [1, 2]]), (2, 3), "indices")
    array([1, 5])
    """
    indices = np.asarray(indices)
    bounded(indices, shape, name)
    flat = np.zeros(len(indices), np.int64)
    for axis, size in enumerate(shape):
        flat = flat * size + indices[:, axis]
    return flat


def unflatten(flat: Array, shape: tuple[int, ...]) -> Array:
    """The rows of coordinates of numbers that `flat_positions` gave."""
    if not shape:
        return np.zeros((len(flat), 0), np.int64)
    if not flat.size:
        return np.zeros((0, len(shape)), np.int64)
    return np.stack(np.unravel_index(flat, shape), 1).astype(np.int64, copy=False)
