"""How the gradients of an accumulator add up, dense ones and slices."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.shapes import Entries, Entry
from workbench.core.kernels.support import invalid, spelled

Array = np.ndarray[Any, Any]


class DenseSum:
    """Gradients that are arrays of one shape."""

    def first(self, gradient: Array) -> Array:
        """The sum of one gradient."""
        return gradient

    def add(self, total: Array, gradient: Array) -> Array:
        """The sum with one more gradient."""
        if total.shape != gradient.shape:
            raise invalid(
                f"Shape mismatch: expected {spelled(total.shape)}, got {spelled(gradient.shape)}"
            )
        return np.asarray(total + gradient)

    def mean(self, total: Array, count: int) -> Array:
        """What is given for a sum of so many gradients."""
        return _divided(total, np.asarray(count))


class Slices(NamedTuple):
    """A sum of slices: which rows, their values, and how many gradients each row was in."""

    indices: Array
    values: Array
    counts: Array


class SparseSum:
    """Gradients that are some rows of an array; the mean of a row is that of those that have it."""

    def first(self, gradient: Slices) -> Slices:
        """The sum of one gradient."""
        return gradient

    def add(self, total: Slices, gradient: Slices) -> Slices:
        """The sum with one more gradient; rows in the order of their numbers."""
        wanted, got = total.values.shape, gradient.values.shape
        if len(wanted) != len(got):
            raise invalid(f"Shape mismatch: expected values rank {len(wanted)}, got {len(got)}")
        for axis in range(1, len(wanted)):
            if wanted[axis] != got[axis]:
                raise invalid(
                    f"Shape mismatch: expected values dim {axis} to be {wanted[axis]}, got "
                    f"{got[axis]}"
                )
        both = np.concatenate([total.indices, gradient.indices])
        indices, places = np.unique(both, return_inverse=True)
        values = np.zeros((indices.size, *got[1:]), total.values.dtype)
        counts = np.zeros(indices.size, np.int64)
        np.add.at(values, places, np.concatenate([total.values, gradient.values]))
        np.add.at(counts, places, np.concatenate([total.counts, gradient.counts]))
        return Slices(indices, values, counts)

    def mean(self, total: Slices, count: int) -> Slices:
        """What is given for a sum of so many gradients."""
        counts = total.counts.reshape(-1, *[1] * (total.values.ndim - 1))
        return total._replace(values=_divided(total.values, counts))


def _divided(total: Array, count: Array) -> Array:
    if total.dtype.kind in "iu":
        # As C++ divides: towards zero.
        return np.trunc(total / count).astype(total.dtype)
    return np.asarray(total / count.astype(total.dtype))


def check_dense(array: Array, entries: Entries) -> None:
    """Raises where a gradient has not the shape of its accumulator."""
    if entries is not None and not (
        len(entries) == array.ndim
        and all(e is None or e == s for e, s in zip(entries, array.shape, strict=True))
    ):
        wanted = ",".join("?" if e is None else str(e) for e in entries)
        raise invalid(f"Shape mismatch: expected [{wanted}], got {spelled(array.shape)}")


def check_slices(indices: Array, values: Array, shape: Array | None, entries: Entries) -> None:
    """Raises where slices are none, or are not of an array of their accumulator's shape."""
    if indices.ndim != 1:
        raise invalid(
            f"Input indices should be vector but received shape: {spelled(indices.shape)}"
        )
    if values.ndim == 0:
        raise invalid("Values cannot be 0-dimensional.")
    if values.shape[0] != indices.size:
        raise invalid(f"Expected {indices.size} non-empty input values, got {values.shape[0]}")
    if entries is None:
        return
    if shape is not None:
        _check_whole(shape, entries)
    rows = entries[0] if entries else None
    if isinstance(rows, int) and indices.size and indices.max() >= rows:
        place = int(np.argmax(indices >= rows))
        raise invalid(
            f"Shape mismatch: index of slice {place} exceeded limits of shape; index is "
            f"{indices[place]} exceeded {rows}"
        )
    if len(entries) > values.ndim:
        raise invalid(
            f"Shape mismatch: expected values rank at least {len(entries)}, got {values.ndim}"
        )
    for axis in range(1, len(entries)):
        if entries[axis] is not None and entries[axis] != values.shape[axis]:
            raise invalid(
                f"Shape mismatch: expected values dim {axis} to be {entries[axis]}, got "
                f"{values.shape[axis]}"
            )


def _check_whole(shape: Array, entries: tuple[Entry, ...]) -> None:
    if len(entries) > shape.size:
        raise invalid(
            f"Shape mismatch: expected shape rank at least {len(entries)}, got {shape.size}"
        )
    for axis, entry in enumerate(entries):
        if entry is not None and entry != shape[axis]:
            raise invalid(
                f"Shape mismatch: expected shape dim {axis} to be {entry}, got {shape[axis]}"
            )
