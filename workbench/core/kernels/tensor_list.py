"""TensorList: the value of a variant tensor, an immutable list of arrays.

Writing an element gives a new version of the list. The newest version owns the Python list with the
elements; a version that was written to keeps only how it differs from the next one. So a loop that
writes n elements costs O(n), and a version that is used again still has all it had.

Versions may be used by several threads. A writer takes the elements under a lock and tells the old
version first that they are no longer its own; a reader looks whether they were still its own after
it has read.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels.array_rules import ArrayRules
from workbench.core.kernels.list_elements import (
    VARIANT,
    ElementShape,
    agrees,
    dtype_name,
    element_dtype_of,
    same_dtype,
    show_shape,
)
from workbench.core.kernels.list_rows import Rows

#: Versions in a row that share one Python list, at least: a copy then lets the oldest ones go.
_FEWEST_VERSIONS = 16
_lock = threading.Lock()
_new = object.__new__


class ListKind:
    """What all versions of a list have in common."""

    __slots__ = ("dtype", "limit", "rules", "shape")

    def __init__(
        self,
        dtype: np.dtype[Any],
        shape: ElementShape,
        limit: int | None = None,
        rules: ArrayRules | None = None,
    ) -> None:
        self.dtype = dtype
        #: What every element's shape must agree with.
        self.shape = shape
        #: How many elements there may be, or None for any number.
        self.limit = limit
        #: What a TensorArray asks beyond that, or None for a plain list.
        self.rules = rules

    def with_shape(self, shape: ElementShape) -> ListKind:
        """The same, with another shape."""
        return ListKind(self.dtype, shape, self.limit, self.rules)


class TensorList:
    """A list of arrays of one dtype; None stands for an element that was never written.

    >>> kind = ListKind(np.dtype(np.int32), ())
    >>> old = TensorList(kind, [None, None])
    >>> new = old.with_item(1, np.int32(5))
    >>> old.items(), new.items()
    ([None, None], [None, np.int32(5)])
    """

    __slots__ = ("_changed", "_items", "_next", "_old", "_versions_left", "kind", "length")

    #: It stands where an array of variants without axes would.
    shape = ()
    ndim = 0
    dtype = VARIANT

    def __init__(self, kind: ListKind, items: list[Any] | Rows) -> None:
        self.kind = kind
        self.length = len(items)
        #: The elements, or None once a later version owns them.
        self._items: list[Any] | Rows | None = items
        #: The next version, set after the two that follow.
        self._next: TensorList | None = None
        #: Which element is another there (-1 where it is one more), and what it is here.
        self._changed = -1
        self._old: Any = None
        self._versions_left = max(_FEWEST_VERSIONS, len(items))

    # -- reading ---------------------------------------------------------------------------------

    @property
    def whole(self) -> np.ndarray[Any, Any] | None:
        """The array of which all elements are the rows, where there is one."""
        rows = self.rows
        return None if rows is None else rows.whole

    @property
    def rows(self) -> Rows | None:
        """The elements where they are, or were at first, the rows of one array."""
        items = self._items
        return items if isinstance(items, Rows) else None

    def get(self, index: int) -> Any:
        """The element at a valid index as it is stored: None where nothing was written."""
        items = self._items
        if items is not None:
            try:
                value = items[index]
            except IndexError:
                # Another thread took the elements, and the last one away.
                return self._from_later(index)
            if self._items is items:
                return value
        return self._from_later(index)

    def _from_later(self, index: int) -> Any:
        version = self
        steps = 0
        while True:
            later = version._next
            if later is None:
                value = version.get(index)
                break
            if version._changed == index:
                value = version._old
                break
            version = later
            steps += 1
        if steps > _FEWEST_VERSIONS + self.length:
            self._own(self.items())
        return value

    def _own(self, items: list[Any]) -> None:
        """Has a version far behind the newest keep its elements itself."""
        with _lock:
            self._items = items
            self._next = None

    def items(self) -> list[Any]:
        """All elements, in a list of the caller's own."""
        items = self._items
        if items is not None:
            copied = items[: self.length]
            if self._items is items:
                return copied
        changes: list[tuple[int, Any]] = []
        version = self
        while True:
            later = version._next
            if later is not None:
                if version._changed >= 0:
                    changes.append((version._changed, version._old))
                version = later
                continue
            items = version._items
            if items is not None:
                copied = items[:]
                if version._items is items:
                    break
        # Later versions may have more elements, or fewer.
        copied = copied[: self.length]
        copied += [None] * (self.length - len(copied))
        for changed, value in reversed(changes):
            if changed < self.length:
                copied[changed] = value
        return copied

    def has_any(self, indices: Collection[int]) -> bool:
        """True where one of the elements at `indices` was written."""
        items = self.items()
        return any(i < len(items) and items[i] is not None for i in indices)

    # -- writing ---------------------------------------------------------------------------------

    def with_item(self, index: int, item: Any) -> TensorList:
        """The list with another element at `index`; InvalidArgumentError where it does not fit."""
        rules = self.kind.rules
        if rules is not None:
            return rules.write(self, index, item)
        if not 0 <= index < self.length:
            self._refuse_index("modify", index)
        return self.replaced(index, self.fitting(item, "set"))

    def replaced(self, index: int, item: Any) -> TensorList:
        """The list with another element, which is known to fit, at a valid index."""
        with _lock:
            items = self._items
            if items is None or not self._versions_left:
                items = self.items()
                items[index] = item
                return TensorList(self.kind, items)
            new = self._followed(items, self.length, index, items[index])
            items[index] = item
            return new

    def with_all(self, indices: Sequence[int], new: Sequence[Any]) -> TensorList:
        """The list with other elements, which are known to fit; as long as the indices ask."""
        items = self.items()
        items += [None] * (max(indices, default=-1) + 1 - len(items))
        for index, item in zip(indices, new, strict=True):
            items[index] = item
        return TensorList(self.kind, items)

    def appended(self, item: Any) -> TensorList:
        """The list with one more element, which is known to fit."""
        with _lock:
            items = self._items
            if items is None or not self._versions_left:
                items = self.items()
                items.append(item)
                return TensorList(self.kind, items)
            new = self._followed(items, self.length + 1, -1, None)
            items.append(item)
            return new

    def popped(self) -> tuple[TensorList, Any]:
        """The list without its last element, and that element as it is stored."""
        if not self.length:
            raise InvalidArgumentError(None, None, "Trying to pop from an empty list.")
        last = self.length - 1
        with _lock:
            items = self._items
            if items is None or not self._versions_left:
                items = self.items()
                value = items.pop()
                return TensorList(self.kind, items), value
            value = items[last]
            new = self._followed(items, last, last, value)
            items.pop()
            return new, value

    def _followed(self, items: list[Any] | Rows, length: int, changed: int, old: Any) -> TensorList:
        """The next version, which owns the elements from now on; one of them is `old` here."""
        new = _new(TensorList)
        new.kind = self.kind
        new.length = length
        new._items = items
        new._next = None
        new._versions_left = self._versions_left - 1
        self._changed = changed
        self._old = old
        self._next = new
        self._items = None
        return new

    # -- checks ----------------------------------------------------------------------------------

    def fitting(self, item: Any, what: str) -> Any:
        """`item`, checked against the list's dtype and shape."""
        kind = self.kind
        try:
            if item.dtype is kind.dtype and item.shape == kind.shape:
                return item
        except AttributeError:
            pass
        if not same_dtype(element_dtype_of(item), kind.dtype):
            raise InvalidArgumentError(
                None,
                None,
                f"Invalid data types; op elements {dtype_name(element_dtype_of(item))} but list "
                f"elements {dtype_name(kind.dtype)}",
            )
        shape = np.shape(item)
        if not agrees(kind.shape, shape):
            raise InvalidArgumentError(
                None,
                None,
                f"Tried to {what} a tensor with incompatible shape at a list index. Item element "
                f"shape: {list(shape)} list shape: {show_shape(kind.shape)}",
            )
        return item

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Raises InvalidArgumentError where an operation takes elements of another dtype."""
        if not same_dtype(self.kind.dtype, dtype):
            raise InvalidArgumentError(
                None,
                None,
                f"Invalid data types; op elements {dtype_name(dtype)} but list elements "
                f"{dtype_name(self.kind.dtype)}",
            )

    def _refuse_index(self, what: str, index: int) -> NoReturn:
        raise InvalidArgumentError(
            None,
            None,
            f"Trying to {what} element {index} in a list with {self.length} elements.",
        )

    def checked_index(self, index: Any) -> int:
        """`index` as an int; InvalidArgumentError where the list has no such element."""
        place = int(index)
        if not 0 <= place < self.length:
            self._refuse_index("access", place)
        return place

    # -- NumPy -----------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Lists add up element by element, which is what the sum of gradients asks for."""
        if method == "__call__" and keywords.get("out") in (None, (None,)):
            if ufunc is np.positive:
                return self
            if ufunc is np.add and all(isinstance(x, TensorList) for x in inputs):
                from workbench.core.kernels.list_sums import added

                return added(*inputs)
        return NotImplemented

    def __repr__(self) -> str:
        kind = self.kind
        return (
            f"<TensorList of {self.length} elements, {dtype_name(kind.dtype)} "
            f"{show_shape(kind.shape)}>"
        )
