"""Elements of a list that are the rows of one array, until one of them is replaced."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

_lock = threading.Lock()


class Rows:
    """Stands where a Python list of elements does; the elements are made when somebody asks.

    `unwritten` marks the rows that stand for elements never written: None there, whatever the array
    has. With `is_own` nobody else has the array.

    >>> rows = Rows(np.arange(4).reshape(2, 2))
    >>> rows.whole is not None, rows[1].tolist()
    (True, [2, 3])
    >>> rows[1] = None
    >>> rows.whole is None, rows[:]
    (True, [array([0, 1]), None])
    """

    __slots__ = ("_array", "_is_own", "_list", "_unwritten")

    def __init__(
        self,
        array: np.ndarray[Any, Any],
        unwritten: np.ndarray[Any, Any] | None = None,
        *,
        is_own: bool = False,
    ) -> None:
        self._array: np.ndarray[Any, Any] | None = array
        self._unwritten = None if unwritten is None or not unwritten.any() else unwritten
        self._list: list[Any] | None = None
        self._is_own = is_own

    def given(self) -> np.ndarray[Any, Any]:
        """The whole array for somebody who will not change it: a copy, unless it is the first one
        who gets an array of the list's own."""
        whole = self.whole
        assert whole is not None
        with _lock:
            if not self._is_own:
                return whole.copy()
            self._is_own = False
        return whole

    @property
    def whole(self) -> np.ndarray[Any, Any] | None:
        """The array, as long as its rows are all the elements."""
        return None if self._unwritten is not None else self._array

    def __len__(self) -> int:
        array = self._array
        return len(self._listed()) if array is None else len(array)

    def __getitem__(self, index: Any) -> Any:
        return self._listed()[index]

    def __setitem__(self, index: int, item: Any) -> None:
        self._changed()[index] = item

    def append(self, item: Any) -> None:
        """One more element."""
        self._changed().append(item)

    def pop(self) -> Any:
        """Takes the last element away."""
        return self._changed().pop()

    def _changed(self) -> list[Any]:
        listed = self._listed()
        self._array = self._unwritten = None
        return listed

    def _listed(self) -> list[Any]:
        if self._list is None:
            with _lock:
                if self._list is None:
                    assert self._array is not None
                    listed = list(self._array)
                    if self._unwritten is not None:
                        for index in np.flatnonzero(self._unwritten).tolist():
                            listed[index] = None
                    self._list = listed
        return self._list
