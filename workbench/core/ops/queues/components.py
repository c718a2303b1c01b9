"""The elements of queues and the like: tuples of arrays, checked, cut and put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid

Array = np.ndarray[Any, Any]
Element = tuple[Array, ...]
#: What is known of a component's shape: None where nothing is, with None for unknown sizes.
Entries = tuple[int | None, ...] | None


class Components:
    """The types and shapes of the components of each element.

    `shapes` is empty where elements may have any shape.
    """

    def __init__(self, types: Sequence[Any], shapes: Sequence[Entries]) -> None:
        self.types = tuple(types)
        self.shapes = tuple(shapes)
        if self.shapes and len(self.shapes) != len(self.types):
            raise invalid(
                f"There are {len(self.types)} component types but {len(self.shapes)} component "
                "shapes"
            )

    def element(self, arrays: Sequence[Any]) -> Element:
        """One element, whose arrays nobody else changes.

        Raises InvalidArgumentError for arrays that do not fit.
        """
        made = self._checked(arrays)
        for index, entries in enumerate(self.shapes):
            self._check_shape(index, made[index].shape, entries)
        return tuple(array.copy() for array in made)

    def elements(self, arrays: Sequence[Any]) -> list[Element]:
        """The elements of a batch, cut along its first axis.

        Raises InvalidArgumentError for arrays that do not fit.
        """
        made = self._checked(arrays)
        for index, array in enumerate(made):
            if array.ndim == 0:
                raise invalid(
                    f"Component {index} of a batch must have an axis to cut it along, but it is a "
                    "scalar"
                )
            if array.shape[0] != made[0].shape[0]:
                raise invalid(
                    "All input tensors must have the same size in the 0th dimension. Component "
                    f"{index} has {array.shape[0]}, and should have {made[0].shape[0]}"
                )
        for index, entries in enumerate(self.shapes):
            batched = None if entries is None else (made[index].shape[0], *entries)
            self._check_shape(index, made[index].shape, batched)
        copies = [array.copy() for array in made]
        return [tuple(as_array(c[i]) for c in copies) for i in range(made[0].shape[0])]

    def empty_batch(self) -> Element:
        """A batch of no elements."""
        return tuple(
            np.zeros((0, *(n or 0 for n in entries or ())), dtype)
            for dtype, entries in zip(self.types, self.shapes, strict=True)
        )

    def batch(self, elements: Sequence[Element], pads: bool) -> Element:
        """Elements put together along a new first axis; smaller ones filled up where `pads`."""
        columns = list(zip(*elements, strict=True))
        if not pads:
            return tuple(_stacked(column) for column in columns)
        return tuple(_padded(column) for column in columns)

    @property
    def are_known(self) -> bool:
        """True where all elements have the same known shapes."""
        return len(self.shapes) == len(self.types) and all(
            entries is not None and None not in entries for entries in self.shapes
        )

    def _checked(self, arrays: Sequence[Any]) -> list[Array]:
        if len(arrays) != len(self.types):
            raise invalid(
                f"Wrong number of components in tuple. Expected {len(self.types)}, got "
                f"{len(arrays)}"
            )
        made = [as_array(array) for array in arrays]
        for index, (array, dtype) in enumerate(zip(made, self.types, strict=True)):
            if array.dtype != dtype:
                raise invalid(
                    f"Type mismatch in tuple component {index}. Expected {_name(dtype)}, got "
                    f"{_name(array.dtype)}"
                )
        return made

    @staticmethod
    def _check_shape(index: int, shape: tuple[int, ...], entries: Entries) -> None:
        fits = entries is None or (
            len(entries) == len(shape)
            and all(e is None or e == s for e, s in zip(entries, shape, strict=True))
        )
        if not fits:
            raise invalid(
                f"Shape mismatch in tuple component {index}. Expected {shown(entries)}, got "
                f"{shown(shape)}"
            )


def given(element: Sequence[Array]) -> Any:
    """What a kernel gives for the components of an element: scalars as they are, in a tuple."""
    return tuple(array[()] if array.ndim == 0 else array for array in element)


def _stacked(arrays: Sequence[Array]) -> Array:
    """Arrays of one shape as one; much faster than NumPy's own for many small ones."""
    made = np.empty((len(arrays), *arrays[0].shape), arrays[0].dtype)
    for index, array in enumerate(arrays):
        if array.shape != made.shape[1:]:
            raise invalid(
                f"A batch has elements of one shape, but there are {shown(arrays[0].shape)} and "
                f"{shown(array.shape)}"
            )
        # As a scalar, where it is one: NumPy would keep an array of one string as it is.
        made[index] = array[()]
    return made


def _padded(arrays: Sequence[Array]) -> Array:
    """Arrays of one rank as one: each in the corner of its own place, zeros or "" around it."""
    sizes = np.max([array.shape for array in arrays], axis=0, initial=0).astype(int)
    dtype = arrays[0].dtype
    made = np.full((len(arrays), *sizes), b"" if dtype.hasobject else 0, dtype)
    for index, array in enumerate(arrays):
        corner: tuple[Any, ...] = (index, *map(slice, array.shape))
        made[corner] = array
    return made


def shown(entries: Entries) -> str:
    """A shape as errors show it, such as "[?,2]"."""
    sizes = ["?" if entry is None else str(entry) for entry in entries or ()]
    return f"[{','.join(sizes)}]"


def _name(dtype: np.dtype[Any]) -> str:
    return "string" if dtype.hasobject else dtype.name
