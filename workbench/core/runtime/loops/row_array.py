"""A list of one run of a loop as an array: its elements are rows, with marks where they matter."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.fusion.row_accesses import (
    CLEARED,
    READ,
    UNWRITTEN,
    WRITTEN,
    Access,
    RowList,
)
from workbench.core.kernels.list_elements import agrees, is_full, same_dtype
from workbench.core.kernels.list_rows import Rows
from workbench.core.kernels.tensor_list import ListKind, TensorList
from workbench.core.runtime.loops.array_pool import ArrayPool

_ALL = 255
#: Rows that a list which grows has at least.
_FEWEST_ROWS = 64


class Misfit(Exception):
    """A list is not as the machine code wants it: the interpreter must go round."""


class RowArray:
    """One list.

    Args:
      like: what the loop does to it.
      values: the list before the loop.
      is_fresh: whether what is written is what was to be added to elements never written.
      passes: how many passes there may be.

    Raises:
      Misfit: its elements are not as the loop was planned for.
    """

    def __init__(
        self, like: RowList, values: TensorList, is_fresh: bool, passes: int, pool: ArrayPool
    ) -> None:
        self._like = like
        self._pool = pool
        self._fresh = is_fresh
        self._values = values
        kind = values.kind
        self.rules = kind.rules
        self._grows = like.resizes or (kind.rules is not None and kind.rules.grows)
        #: How many elements there are before the loop.
        self.length = values.length
        if kind.limit is not None and like.growth > 0:
            raise Misfit
        if not like.accesses:
            # Nobody looks at the elements.
            self.array: np.ndarray[Any, Any] = np.zeros((0,), np.uint8)
            self.marks: np.ndarray[Any, Any] | None = None
            return
        dtype = like.dtype.numpy_dtype
        if not same_dtype(kind.dtype, dtype) or not agrees(kind.shape, like.shape):
            raise Misfit
        self._fill(passes)

    @property
    def capacity(self) -> int:
        """How many rows there is memory for."""
        return len(self.array)

    @property
    def rows(self) -> int:
        """How many rows passes may ask for."""
        return self.capacity if self._grows or self._like.growth > 0 else self.length

    @property
    def row_bytes(self) -> int:
        """The bytes of a row."""
        return int(self.array.strides[0]) if self.array.ndim else 0

    def marks_of(self, access: Access) -> tuple[int, int, int]:
        """The marks that forbid an access, those that it keeps, and those that it sets."""
        forbidden = cleared = given = 0
        rules = self.rules
        if access.read is not None and not access.adds:
            forbidden |= CLEARED
            if rules is not None and not is_full(self._values.kind.shape):
                forbidden |= UNWRITTEN
            if self._has_negative_zeros:
                forbidden |= UNWRITTEN
            if rules is not None and rules.reads_once:
                forbidden |= READ
                given |= READ
        if access.written is not None:
            cleared |= UNWRITTEN | CLEARED
            given |= WRITTEN
            if (rules is not None and not access.adds) or self._fresh:
                forbidden |= WRITTEN | READ
        if access.clears:
            cleared |= WRITTEN
            given |= CLEARED | UNWRITTEN
        return forbidden, _ALL & ~cleared, given

    def grow(self, rows: int) -> bool:
        """Makes room for so many rows; False for a list that has the length it has."""
        if not (self._grows or self._like.growth > 0):
            return False
        more = max(rows, 2 * self.capacity, _FEWEST_ROWS)
        array = self._pool.take(more, self._like.shape, self.array.dtype)
        array[: self.capacity] = self.array
        if self.marks is not None:
            self._empty(array[self.capacity :])
            marks = np.full(more, UNWRITTEN, np.uint8)
            marks[: self.capacity] = self.marks
            self.marks = marks
        self.array = array
        return True

    def result(self, passes: int) -> TensorList:
        """The list after so many passes."""
        kind = self._values.kind
        if not self._like.accesses:
            return self._values
        length = self.length + passes * self._like.growth
        if self._grows and self.marks is not None:
            written = np.flatnonzero(self.marks & WRITTEN)
            length = max(length, int(written[-1]) + 1 if written.size else 0)
        unwritten = None
        if self.marks is not None:
            unwritten = (self.marks[:length] & UNWRITTEN).astype(np.bool_)
            shape = self._like.shape
            if self.rules is not None and self.rules.keeps_shape and not unwritten.all():
                kind = kind if kind.shape == shape else kind.with_shape(shape)
        kind = ListKind(kind.dtype, kind.shape, kind.limit, kind.rules)
        return TensorList(kind, Rows(self.array[:length], unwritten, is_own=self._is_own))

    def finish(self) -> None:
        """Tells the rules of a TensorArray what was read: after a run that came to its end."""
        if self.rules is not None and self.rules.reads_once and self.marks is not None:
            self.rules.note_read(np.flatnonzero(self.marks & READ).tolist())

    # -- parts -------------------------------------------------------------------------------

    @property
    def _has_negative_zeros(self) -> bool:
        return any(a.adds for a in self._like.accesses)

    def _empty(self, rows: np.ndarray[Any, Any]) -> None:
        """Has rows read as elements never written, if anybody reads: as zeros."""
        if any(a.read is not None for a in self._like.accesses):
            # Adding to -0.0 gives what is added, whatever it is.
            rows[...] = -0.0 if self._has_negative_zeros else 0.0

    def _fill(self, passes: int) -> None:
        """Puts the elements there are into an array."""
        like, values = self._like, self._values
        self.marks = None
        self._is_own = True
        whole = values.whole
        if whole is not None and whole.shape[1:] != like.shape:
            raise Misfit
        if not like.is_written and whole is not None and self.rules is None:
            self.array = np.require(whole, like.dtype.numpy_dtype, ["C", "A"])
            self._is_own = False
            return
        count = self.length
        capacity = count
        if like.growth > 0:
            capacity = max(count + passes * like.growth, 1)
        elif self._grows:
            capacity = max(count, passes, 1)
        self.array = self._pool.take(capacity, like.shape, like.dtype.numpy_dtype)
        unwritten = None
        if whole is not None:
            self.array[:count] = whole
        else:
            unwritten = self._fill_one_by_one(values.items())
        pushes_only = like.growth > 0 and not any(a.place.number for a in like.accesses)
        if pushes_only and (unwritten is None or not unwritten.any()):
            return
        self._empty(self.array[count:])
        self._mark(unwritten)

    def _fill_one_by_one(self, items: list[Any]) -> np.ndarray[Any, Any]:
        unwritten = np.zeros(len(items), np.bool_)
        array, shape = self.array, self._like.shape
        if not any(item is not None for item in items):
            self._empty(array[: len(items)])
            unwritten[:] = True
            return unwritten
        for number, item in enumerate(items):
            if item is None:
                unwritten[number] = True
                self._empty(array[number : number + 1])
                continue
            if np.shape(item) != shape:
                raise Misfit
            array[number] = item
        return unwritten

    def _mark(self, unwritten: np.ndarray[Any, Any] | None) -> None:
        self.marks = marks = np.full(self.capacity, UNWRITTEN, np.uint8)
        marks[: self.length] = WRITTEN
        if unwritten is not None:
            marks[: self.length][unwritten] = UNWRITTEN
        if self.rules is not None:
            read = [n for n in self.rules.read if n < self.capacity]
            marks[read] |= READ
