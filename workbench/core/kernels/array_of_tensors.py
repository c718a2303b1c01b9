"""The array behind TensorArrayV3: it lives for one run, each element is written once.

It keeps copies of what is written and gives nothing out that it keeps: the arrays that kernels get
may be overwritten later in the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import Entries, format_entries, merge_shapes


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


class ArrayOfTensors:
    """Elements of one dtype, read and written by their index.

    A gradient array adds up what is written to an element several times.
    """

    def __init__(
        self,
        size: int,
        dtype: np.dtype[Any],
        element_shape: Entries = None,
        *,
        is_dynamic: bool = False,
        clears: bool = True,
        have_one_shape: bool = False,
        is_gradient: bool = False,
    ) -> None:
        if size < 0:
            raise _invalid(f"Size should be >= 0, got {size}")
        self.dtype = dtype
        self.element_shape = element_shape
        self._is_dynamic = is_dynamic
        self._clears = clears
        self._have_one_shape = have_one_shape
        self._is_gradient = is_gradient
        self._elements: list[Any] = [None] * size
        #: The shapes of what was written, or will be: they outlive the elements.
        self._shapes: list[tuple[int, ...] | None] = [None] * size
        self._cleared = [False] * size
        self._gradients: dict[str, ArrayOfTensors] = {}
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._elements)

    def close(self) -> None:
        """Forgets all elements; nothing can be done with it from now on."""
        self._elements.clear()
        self._is_closed = True

    def check_open(self) -> None:
        """InvalidArgumentError once it is closed."""
        if self._is_closed:
            raise _invalid("Tensor array has already been closed.")

    def gradient(self, source: str, prepended: Sequence[int] = ()) -> ArrayOfTensors:
        """The array of gradients for one call of `tf.gradients`, made when it is first asked for.

        From then on this array has its size. `prepended` are sizes that each gradient has in front
        of those of the element.
        """
        self.check_open()
        found = self._gradients.get(source)
        if found is None:
            front = tuple(int(n) for n in prepended)
            shape = None if self.element_shape is None else front + self.element_shape
            found = ArrayOfTensors(len(self), self.dtype, shape, is_gradient=True)
            found._shapes = [None if s is None else front + s for s in self._shapes]
            self._gradients[source] = found
            self._is_dynamic = False
        return found

    def write(self, index: int, value: Any) -> None:
        """Sets one element, or adds to it in a gradient array."""
        self.check_open()
        given = np.asarray(value)
        self._check_dtype(given.dtype, "write")
        if index < 0:
            raise _invalid(f"Tried to write to index {index}: indices begin at 0")
        if index >= len(self._elements):
            if not self._is_dynamic:
                raise _invalid(
                    f"Tried to write to index {index} but array is not resizeable and size is: "
                    f"{len(self._elements)}"
                )
            self._grow(index + 1)
        self._check_shape(index, given.shape)
        before = self._elements[index]
        if before is None:
            if self._cleared[index] and not self._is_gradient:
                raise _invalid(
                    f"Could not write to TensorArray index {index} because it has already been "
                    "read."
                )
            self._elements[index] = given.copy()
        elif self._is_gradient:
            self._elements[index] = np.asarray(before + given)
        else:
            raise _invalid(
                f"Could not write to TensorArray index {index} because it has already been "
                "written to."
            )
        self._shapes[index] = given.shape

    def read(self, index: int, dtype: np.dtype[Any] | None = None) -> Any:
        """One element; zeros where it was not written and its shape is known."""
        self.check_open()
        if dtype is not None:
            self._check_dtype(dtype, "read")
        if not 0 <= index < len(self._elements):
            raise _invalid(
                f"Tried to read from index {index} but array size is: {len(self._elements)}"
            )
        value = self._elements[index]
        if value is None:
            return self._unwritten(index)
        if not self._clears:
            return _plain(value.copy())
        self._elements[index] = None
        self._cleared[index] = True
        return _plain(value)

    def gather(self, indices: Any, element_shape: Entries = None) -> Any:
        """Elements one beside the other along a new first axis."""
        shape = merge_shapes(self.element_shape, element_shape)
        chosen = [int(i) for i in np.asarray(indices).reshape(-1)]
        if not chosen:
            if not _is_known(shape):
                raise _invalid(
                    f"TensorArray has size zero, but element shape {format_entries(shape)} is not "
                    "fully defined. Currently only static shapes are supported when packing "
                    "zero-size TensorArrays."
                )
            return np.zeros((0, *shape), self.dtype)  # type: ignore[misc]
        values = [np.asarray(self.read(i)) for i in chosen]
        for index, value in zip(chosen, values, strict=True):
            if value.shape != values[0].shape:
                raise _invalid(
                    "TensorArray has inconsistent shapes.  Index "
                    f"{chosen[0]} has shape: {list(values[0].shape)} but index {index} has shape: "
                    f"{list(value.shape)}"
                )
        return np.stack(values)

    def scatter(self, indices: Any, value: Any) -> None:
        """Writes the slices of `value` along its first axis to the elements of these indices."""
        value = np.asarray(value)
        chosen = [int(i) for i in np.asarray(indices).reshape(-1)]
        if not value.ndim or value.shape[0] != len(chosen):
            raise _invalid(
                "Expected len(indices) == values.shape[0], but saw: "
                f"{len(chosen)} vs. {value.shape[0] if value.ndim else 'a scalar'}"
            )
        for index, part in zip(chosen, value, strict=True):
            self.write(index, part)

    def concat(self, element_shape_except0: Entries = None) -> tuple[Any, Any]:
        """All elements after each other along their first axis, and how long each is."""
        self.check_open()
        if not self._elements:
            if not _is_known(element_shape_except0):
                raise _invalid(
                    "TensorArray has size zero, but element_shape_except0 "
                    f"{format_entries(element_shape_except0)} is not fully defined. Currently only "
                    "static shapes are supported when concatenating zero-size TensorArrays."
                )
            shape = (0, *element_shape_except0)  # type: ignore[misc]
            return np.zeros(shape, self.dtype), np.zeros(0, np.int64)
        values = [np.asarray(self.read(i)) for i in range(len(self._elements))]
        for index, value in enumerate(values):
            if not value.ndim:
                raise _invalid("Concat saw a scalar shape at index 0 but requires at least vectors")
            if value.shape[1:] != values[0].shape[1:]:
                raise _invalid(
                    "TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) "
                    f"shape: {list(values[0].shape[1:])} but index {index} has (excepting "
                    f"dimension 0) shape: {list(value.shape[1:])}"
                )
        return np.concatenate(values), np.array([len(v) for v in values], np.int64)

    def split(self, value: Any, lengths: Any) -> None:
        """Writes parts of `value` along its first axis, as long as `lengths` says, in order."""
        value, lengths = np.asarray(value), np.asarray(lengths).reshape(-1)
        if not value.ndim:
            raise _invalid("Expected value to be at least a vector, but received shape: []")
        if int(lengths.sum()) != value.shape[0]:
            raise _invalid(
                "Expected sum of lengths to be equal to values.shape[0], but sum of lengths is "
                f"{int(lengths.sum())} and value's shape is: {list(value.shape)} "
            )
        if len(lengths) != len(self._elements) and not self._is_dynamic:
            raise _invalid(
                f"TensorArray's size is not equal to the size of lengths ({len(self._elements)} "
                f"vs. {len(lengths)}), and the TensorArray is not marked as dynamically resizeable"
            )
        start = 0
        for index, length in enumerate(lengths.tolist()):
            self.write(index, value[start : start + length])
            start += length

    # -- parts -------------------------------------------------------------------------------

    def _grow(self, size: int) -> None:
        more = size - len(self._elements)
        self._elements += [None] * more
        self._shapes += [None] * more
        self._cleared += [False] * more

    def _unwritten(self, index: int) -> Any:
        if self._cleared[index]:
            raise _invalid(
                f"Could not read index {index} twice because it was cleared after a previous read "
                "(perhaps try setting clear_after_read = false?)."
            )
        shape: Entries = self._shapes[index]
        if shape is None:
            shape = self.element_shape
        if not _is_known(shape):
            raise _invalid(
                f"Could not read from TensorArray index {index}.  Furthermore, the element shape "
                f"is not fully defined: {format_entries(shape)}.  It is possible you are working "
                "with a resizeable TensorArray and stop_gradients is not allowing the gradients "
                "to be written.  If you set the full element_shape property on the forward "
                "TensorArray, the proper all-zeros tensor will be returned instead of incurring "
                "this error."
            )
        if self.dtype == object:
            return _plain(np.full(shape, b"", object))
        return _plain(np.zeros(shape, self.dtype))

    def _check_dtype(self, dtype: np.dtype[Any], what: str) -> None:
        if dtype != self.dtype:
            raise _invalid(
                f"TensorArray dtype is {as_dtype(self.dtype).name} but Op is trying to {what} "
                f"dtype {as_dtype(dtype).name}."
            )

    def _check_shape(self, index: int, shape: tuple[int, ...]) -> None:
        try:
            merged = merge_shapes(self.element_shape, shape)
        except ValueError:
            raise _invalid(
                f"Could not write to TensorArray index {index} because the value shape is "
                f"{list(shape)} which is incompatible with the TensorArray's inferred element "
                f"shape: {format_entries(self.element_shape)} (consider setting infer_shape=False)."
            ) from None
        if self._have_one_shape:
            self.element_shape = merged
        if self._is_gradient:
            expected = self._shapes[index]
            if expected is not None and expected != shape:
                raise _invalid(
                    f"Could not aggregate to TensorArray index {index} because the existing shape "
                    f"is {list(expected)} but the new input shape is {list(shape)}."
                )


def _is_known(shape: Entries) -> bool:
    return shape is not None and all(isinstance(n, int) for n in shape)


def _plain(value: np.ndarray[Any, Any]) -> Any:
    return value if value.ndim else value[()]
