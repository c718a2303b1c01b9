"""What a TensorArray asks of the list that holds its elements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels.list_elements import (
    agrees,
    dtype_name,
    element_dtype_of,
    is_full,
    same_dtype,
    show_shape,
)

if TYPE_CHECKING:
    from workbench.core.kernels.tensor_list import TensorList


class ArrayRules:
    """The rules of one TensorArray in one run."""

    __slots__ = ("_adds", "_grows", "_keeps_shape", "_name", "_read", "_reads_once")

    def __init__(
        self,
        name: str,
        *,
        grows: bool = False,
        reads_once: bool = False,
        keeps_shape: bool = False,
        adds: bool = False,
    ) -> None:
        self._name = name
        #: Writing behind the end makes it longer.
        self._grows = grows
        #: Every element has the shape of the first.
        self._keeps_shape = keeps_shape
        #: What is written to an element that has a value is added to it, as gradients are.
        self._adds = adds
        self._reads_once = reads_once
        #: The elements that were read, where each may be read once.
        self._read: set[int] = set()

    @property
    def grows(self) -> bool:
        """Whether writing behind the end makes the array longer."""
        return self._grows

    @property
    def keeps_shape(self) -> bool:
        """Whether every element has the shape of the first."""
        return self._keeps_shape

    @property
    def reads_once(self) -> bool:
        """Whether an element may be read once only."""
        return self._reads_once

    @property
    def adds(self) -> bool:
        """Whether what is written to an element that has a value is added to it."""
        return self._adds

    @property
    def read(self) -> frozenset[int]:
        """The elements that were read, where each may be read once."""
        return frozenset(self._read)

    def note_read(self, indices: Iterable[int]) -> None:
        """Takes in that elements were read."""
        self._read.update(indices)

    def write(self, array: TensorList, index: int, item: Any) -> TensorList:
        """The array with one more element; InvalidArgumentError where a rule forbids it."""
        kind = array.kind
        try:
            fits = item.dtype is kind.dtype and item.shape == kind.shape
        except AttributeError:
            fits = False
        if (
            fits
            and 0 <= index < array.length
            and array.get(index) is None
            and index not in self._read
        ):
            return array.replaced(index, item)
        return self._write_checked(array, index, item)

    def _write_checked(self, array: TensorList, index: int, item: Any) -> TensorList:
        if index < 0 or (index >= array.length and not self._grows):
            self._refuse(
                f"Tried to write to index {index} but array is not resizeable and size is: "
                f"{array.length}"
            )
        kind = array.kind
        dtype, shape = element_dtype_of(item), np.shape(item)
        if not same_dtype(dtype, kind.dtype):
            self._refuse(
                f"Could not write to TensorArray index {index}: TensorArray dtype is "
                f"{dtype_name(kind.dtype)} but Op is trying to write dtype {dtype_name(dtype)}."
            )
        if shape != kind.shape and not agrees(kind.shape, shape):
            self._refuse(
                f"Could not write to TensorArray index {index} because the value shape is "
                f"{show_shape(shape)} which is incompatible with the TensorArray's inferred "
                f"element shape: {show_shape(kind.shape)} (consider setting infer_shape=False)."
            )
        if index in self._read:
            self._refuse(
                f"Could not write to TensorArray index {index} because it has already been read."
            )
        array = self._grown(array, index)
        old = array.get(index)
        if old is not None:
            item = self._again(index, old, item)
        written = array.replaced(index, item)
        if self._keeps_shape and shape != kind.shape:
            written.kind = kind.with_shape(shape)
        return written

    @staticmethod
    def _grown(array: TensorList, index: int) -> TensorList:
        while array.length <= index:
            array = array.appended(None)
        return array

    def _again(self, index: int, old: Any, item: Any) -> Any:
        if not self._adds:
            self._refuse(
                f"Could not write to TensorArray index {index} because it has already been "
                "written to."
            )
        if np.shape(old) != np.shape(item):
            self._refuse(
                f"Could not aggregate to TensorArray index {index} because the existing shape is "
                f"{show_shape(np.shape(old))} but the new input shape is "
                f"{show_shape(np.shape(item))}."
            )
        return np.add(old, item)

    def write_rows(
        self, array: TensorList, rows: Sequence[Any], indices: Sequence[int]
    ) -> TensorList:
        """The array with rows of one tensor at `indices`."""
        highest = max(indices, default=-1)
        if highest >= array.length and not self._grows:
            self._refuse(f"Max scatter index must be < array size ({highest} vs. {array.length})")
        places = set(indices)
        fresh = len(places) == len(indices) and places.isdisjoint(self._read) and len(rows) > 1
        if not fresh or min(indices) < 0 or array.has_any(places):
            for index, row in zip(indices, rows, strict=True):
                array = self.write(array, index, row)
            return array
        # The rows are alike: the first one stands for all.
        first = self.write(array, indices[0], rows[0])
        return first.with_all(indices, rows)

    def check_size(self, array: TensorList, count: int) -> None:
        """Raises InvalidArgumentError where `count` parts are not what the array takes."""
        if count != array.length and not (self._grows and count > array.length):
            self._refuse(
                f"TensorArray's size is not equal to the size of lengths ({array.length} vs. "
                f"{count}), and the TensorArray is not marked as dynamically resizeable"
            )

    def check_read(self, array: TensorList, index: int) -> None:
        """Raises InvalidArgumentError where an element may not be read, or not again."""
        if not 0 <= index < array.length:
            self._refuse(f"Tried to read from index {index} but array size is: {array.length}")
        if array.get(index) is None and not is_full(array.kind.shape):
            self._refuse(
                f"Could not read from TensorArray index {index}, which was never written.  "
                "Furthermore, the element shape is not fully defined: "
                f"{show_shape(array.kind.shape)}.  Give element_shape for zeros in its place."
            )
        if self._reads_once:
            if index in self._read:
                self._refuse(
                    f"Could not read index {index} twice because it was cleared after a previous "
                    "read (perhaps try setting clear_after_read = false?)."
                )
            self._read.add(index)

    def _refuse(self, problem: str) -> NoReturn:
        raise InvalidArgumentError(None, None, f"TensorArray {self._name}: {problem}")
