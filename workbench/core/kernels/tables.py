"""Hash tables: keys to rows of values, filled once or again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import FailedPreconditionError, InvalidArgumentError
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid

Array = NDArray[Any]

#: In place of a column of a text file: the whole line, or its number.
WHOLE_LINE = -2
LINE_NUMBER = -1

_FIRST_ROWS = 16


class Table:
    """Keys and values; a key may be a vector, a value any tensor of one shape.

    Lookups of other threads see an insertion whole or not at all.
    """

    #: True where keys may be added and changed after the table was filled.
    is_mutable = False

    def __init__(
        self,
        key_dtype: np.dtype[Any],
        value_dtype: np.dtype[Any],
        value_shape: tuple[int, ...] = (),
        key_shape: tuple[int, ...] = (),
    ) -> None:
        self.key_dtype = key_dtype
        self.value_dtype = value_dtype
        self.value_shape = value_shape
        self.key_shape = key_shape
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        #: The row of each key. Keys keep the order in which they came.
        self._rows: dict[Any, int] = {}
        self._values = np.empty((_FIRST_ROWS, *self.value_shape), self.value_dtype)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def signature(self) -> tuple[Any, ...]:
        """What two tables of one name must have in common."""
        return type(self), self.key_dtype, self.value_dtype, self.key_shape, self.value_shape

    # -- checks ------------------------------------------------------------------------------

    def _checked(self, array: Any, dtype: np.dtype[Any], what: str) -> Array:
        found = as_array(array)
        if found.dtype != dtype:
            raise invalid(f"{what} must be {_name(dtype)} but got {_name(found.dtype)}")
        return found

    def _key_rows(self, keys: Array) -> tuple[list[Any], tuple[int, ...]]:
        """Each key as something a dictionary can hold, and the shape they are in."""
        rank = len(self.key_shape)
        outer = keys.shape[: keys.ndim - rank]
        if keys.shape[keys.ndim - rank :] != self.key_shape:
            raise invalid(
                f"Expected key shape to end in {list(self.key_shape)} but got {list(keys.shape)}"
            )
        if not rank:
            return keys.reshape(-1).tolist(), outer
        return [tuple(row) for row in keys.reshape(-1, *self.key_shape).tolist()], outer

    def _pairs(self, keys: Any, values: Any) -> tuple[list[Any], Array]:
        key_array = self._checked(keys, self.key_dtype, "Key")
        value_array = self._checked(values, self.value_dtype, "Value")
        rows, outer = self._key_rows(key_array)
        if value_array.shape != (*outer, *self.value_shape):
            raise invalid(
                f"Expected shape {[*outer, *self.value_shape]} for value, got "
                f"{list(value_array.shape)}: there must be one for each key"
            )
        return rows, value_array.reshape(len(rows), *self.value_shape)

    # -- reading -----------------------------------------------------------------------------

    def find(self, keys: Any, default: Any) -> Array:
        """The value of each key, the default for those that are not there."""
        key_array = self._checked(keys, self.key_dtype, "Key")
        default_array = self._checked(default, self.value_dtype, "Default value")
        if default_array.shape != self.value_shape:
            raise invalid(
                f"Expected shape {list(self.value_shape)} for default value, got "
                f"{list(default_array.shape)}"
            )
        rows, outer = self._key_rows(key_array)
        self._check_keys(rows)
        with self._lock:
            get = self._rows.get
            # One row more than there are: the default, at index -1.
            places = np.array([get(row, -1) for row in rows], np.intp)
            found = self._values[places]
        found[places < 0] = default_array
        return found.reshape((*outer, *self.value_shape))

    def _check_keys(self, rows: Iterable[Any]) -> None:
        """Raises where a key may not be asked for."""

    def contents(self) -> tuple[Array, Array]:
        """All keys and their values, in the order in which the keys came."""
        with self._lock:
            keys = list(self._rows)
            values = self._values[: len(keys)].copy()
        result = np.empty((len(keys), *self.key_shape), self.key_dtype)
        if keys:
            result[...] = np.array(keys, self.key_dtype).reshape(result.shape)
        return result, values

    # -- going back --------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """A copy of what it holds, for `restore`."""
        keys, values = Table.contents(self)
        return {"keys": keys, "values": values}

    def restore(self, saved: dict[str, Any]) -> None:
        """Makes what was saved all that the table holds."""
        rows, array = self._pairs(saved["keys"], saved["values"])
        with self._lock:
            self._clear()
            self._put(rows, array)

    # -- filling -----------------------------------------------------------------------------

    def _put(self, rows: list[Any], values: Array) -> None:
        """Adds keys; later values replace earlier ones. The lock is held."""
        places = []
        for row in rows:
            places.append(self._rows.setdefault(row, len(self._rows)))
        if len(self._rows) > len(self._values):
            larger = np.empty((2 * len(self._rows), *self.value_shape), self.value_dtype)
            larger[: len(self._values)] = self._values
            self._values = larger
        for place, value in zip(places, values, strict=True):
            self._values[place] = value


class FixedTable(Table):
    """A table that is filled once."""

    def __init__(self, key_dtype: np.dtype[Any], value_dtype: np.dtype[Any]) -> None:
        super().__init__(key_dtype, value_dtype)
        self.is_initialized = False

    def _check_keys(self, rows: Iterable[Any]) -> None:
        if not self.is_initialized:
            raise FailedPreconditionError(
                None,
                None,
                "Table not initialized: run session.run(tf.tables_initializer()) first",
            )

    def contents(self) -> tuple[Array, Array]:
        self._check_keys(())
        return super().contents()

    def saved(self) -> dict[str, Any]:
        return {**super().saved(), "is_initialized": self.is_initialized}

    def restore(self, saved: dict[str, Any]) -> None:
        super().restore(saved)
        self.is_initialized = bool(saved["is_initialized"])

    def initialize(self, keys: Any, values: Any) -> None:
        """Fills the table; filling it again with the same is no error.

        Raises:
          FailedPreconditionError: a key has two values, or the table holds something else.
        """
        rows, array = self._pairs(keys, values)
        if not rows:
            raise invalid("keys and values cannot be empty tensors.")
        filled: dict[Any, Any] = {}
        for row, value in zip(rows, array.tolist(), strict=True):
            known = filled.setdefault(row, value)
            if known != value and not (known != known and value != value):
                raise FailedPreconditionError(
                    None,
                    None,
                    f"HashTable has different value for same key. Key {_shown(row)} has "
                    f"{_shown(known)} and trying to add value {_shown(value)}",
                )
        with self._lock:
            if self.is_initialized:
                known_values = dict(
                    zip(self._rows, self._values[: len(self)].tolist(), strict=True)
                )
                if known_values != filled:
                    raise FailedPreconditionError(
                        None, None, "Table already initialized with different data."
                    )
                return
            self._put(rows, array)
            self.is_initialized = True


class MutableTable(Table):
    """A table whose keys come and change."""

    is_mutable = True

    def insert(self, keys: Any, values: Any) -> None:
        """Adds keys, or gives them new values."""
        rows, array = self._pairs(keys, values)
        self._check_keys(rows)
        with self._lock:
            self._put(rows, array)

    def replace(self, keys: Any, values: Any) -> None:
        """Makes these keys all that the table holds."""
        rows, array = self._pairs(keys, values)
        self._check_keys(rows)
        with self._lock:
            self._clear()
            self._put(rows, array)


class DenseTable(MutableTable):
    """A mutable table that has a key which may not be used.

    It has a number of buckets, a power of two, which is doubled when too many are in use; what it
    exports has a row for each of them.
    """

    def __init__(
        self,
        key_dtype: np.dtype[Any],
        value_dtype: np.dtype[Any],
        value_shape: tuple[int, ...],
        empty_key: Any,
        buckets: int = 4,
        max_load: float = 0.8,
    ) -> None:
        key = as_array(empty_key)
        super().__init__(key_dtype, value_dtype, value_shape, key.shape)
        ((self._empty,), _) = self._key_rows(key[None])
        self._buckets = buckets
        self._max_load = max_load

    def _check_keys(self, rows: Iterable[Any]) -> None:
        if self._empty in rows:
            raise InvalidArgumentError(
                None, None, "Using the empty_key as a table key is not allowed"
            )

    def insert(self, keys: Any, values: Any) -> None:
        count = len(self) + len(self._key_rows(as_array(keys))[0])
        super().insert(keys, values)
        while count > self._max_load * self._buckets:
            self._buckets *= 2

    def replace(self, keys: Any, values: Any) -> None:
        """Makes these keys all that the table holds; the empty one stands for an empty bucket."""
        rows, array = self._pairs(keys, values)
        used = [i for i, row in enumerate(rows) if row != self._empty]
        with self._lock:
            self._clear()
            self._put([rows[i] for i in used], array[used])
            self._buckets = max(1, len(rows))

    def contents(self) -> tuple[Array, Array]:
        """The keys and values of all buckets, those in use first."""
        keys, values = super().contents()
        unused = max(0, self._buckets - len(keys))
        nothing: Any = b"" if self.value_dtype.kind == "O" else 0
        empty_keys = np.empty((unused, *self.key_shape), self.key_dtype)
        empty_keys[...] = self._empty
        empty_values = np.full((unused, *self.value_shape), nothing, self.value_dtype)
        return np.concatenate([keys, empty_keys]), np.concatenate([values, empty_values])

    def saved(self) -> dict[str, Any]:
        return {**super().saved(), "buckets": self._buckets}

    def restore(self, saved: dict[str, Any]) -> None:
        super().restore(saved)
        self._buckets = int(saved["buckets"])


def _name(dtype: np.dtype[Any]) -> str:
    return "string" if dtype.kind == "O" else dtype.name


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


# -- text files ----------------------------------------------------------------------------------


def _column(
    fields: list[bytes], line: bytes, number: int, index: int, dtype: np.dtype[Any], path: str
) -> Any:
    if index == LINE_NUMBER:
        return number
    if index == WHOLE_LINE:
        fields, index = [line], 0
    if index >= len(fields):
        raise invalid(
            f"Invalid number of columns in {path} line {number} ({_shown(line)}) : expected at "
            f"least {index + 1} got {len(fields)}"
        )
    if dtype.kind == "O":
        return fields[index]
    read = int if dtype.kind in "iu" else float
    try:
        return read(fields[index])
    except ValueError:
        raise invalid(
            f"Field {_shown(fields[index])} in line {number} of {path} is not a valid {dtype.name}."
        ) from None


def _lines(content: bytes) -> Iterator[bytes]:
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return (line.removesuffix(b"\r") for line in lines)


def read_columns(
    content: bytes,
    path: str,
    indices: tuple[int, int],
    dtypes: tuple[np.dtype[Any], np.dtype[Any]],
    vocab_size: int,
    delimiter: bytes,
) -> tuple[Array, Array]:
    """Two columns of a text file; a negative index means the whole line, or its number.

    Raises:
      InvalidArgumentError: the file has too few lines or columns, or a field is no number.
    """
    for index, dtype in zip(indices, dtypes, strict=True):
        if index == LINE_NUMBER and dtype != np.int64:
            raise invalid(f"The numbers of lines are int64, but the table has {_name(dtype)}")
    columns: tuple[list[Any], list[Any]] = ([], [])
    for number, line in enumerate(_lines(content)):
        if number == vocab_size:
            break
        fields = line.split(delimiter) if max(indices) >= 0 else []
        # Both first: an error must not leave the columns of different lengths.
        for column, index, dtype in zip(columns, indices, dtypes, strict=True):
            column.append(_column(fields, line, number, index, dtype, path))
    if vocab_size >= 0 and len(columns[0]) < vocab_size:
        raise invalid(
            f"Invalid vocab_size in {path}: expected {vocab_size} but got {len(columns[0])}"
        )
    keys, values = (np.array(column, dtype) for column, dtype in zip(columns, dtypes, strict=True))
    return keys, values
