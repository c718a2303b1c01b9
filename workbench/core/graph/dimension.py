"""Dimensions: what is known of one size of a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.dtypes import DType


class Dimension:
    """One dimension: a known size, an unknown one, or an unknown one with a name.

    A named ("symbolic") dimension has the same size wherever the name occurs in a run.
    Arithmetic with an unknown dimension gives an unknown one; comparison gives None.

    >>> import workbench as tf
    >>> tf.Dimension(3) * 2, tf.Dimension(None) + 1, tf.Dimension("batch")
    (Dimension(6), Dimension(None), Dimension('batch'))
    """

    __slots__ = ("_symbol", "_value")

    def __init__(self, value: Any) -> None:
        self._symbol: str | None = None
        if value is None:
            self._value: int | None = None
        elif isinstance(value, Dimension):
            self._value, self._symbol = value._value, value._symbol
        elif isinstance(value, str) and not value.isdecimal():
            self._value, self._symbol = None, value
        elif isinstance(value, DType):
            raise TypeError(f"Cannot convert {value!r} to a Dimension: it is a dtype, no size")
        else:
            if isinstance(value, (float, np.floating)) and int(value) != value:
                raise ValueError(f"Ambiguous dimension: {value}")
            self._value = int(value)
            if self._value < 0:
                raise ValueError(f"Dimension {self._value} must be >= 0")

    @property
    def value(self) -> int | None:
        """The size, or None where it is not known."""
        return self._value

    @property
    def symbol(self) -> str | None:
        """The name of an unknown size, or None."""
        return self._symbol

    @property
    def entry(self) -> Entry:
        """The raw form kept in shapes: an int, a symbol's name, or None."""
        return self._value if self._value is not None else self._symbol

    def is_compatible_with(self, other: Any) -> bool:
        """True when the two may be the same size."""
        other = as_dimension(other)
        return self._value == other._value or self._value is None or other._value is None

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless the two may be the same size."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {other} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        """The dimension with what is known of both; ValueError where they disagree."""
        other = as_dimension(other)
        self.assert_is_compatible_with(other)
        return Dimension(merge_entries(self.entry, other.entry))

    def __reduce__(self) -> tuple[Any, tuple[Any]]:
        return Dimension, (self.entry,)

    def __repr__(self) -> str:
        return f"Dimension({self.entry!r})"

    def __str__(self) -> str:
        return "?" if self.entry is None else str(self.entry)

    def __hash__(self) -> int:
        return hash(self.entry)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, str) and not other.isdecimal():
            return self._symbol == other
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other._value is None:
            return True if self._symbol is not None and self._symbol == other._symbol else None
        return self._value == other._value

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented or equal is None else not equal

    def __int__(self) -> int:
        if self._value is None:
            raise TypeError(
                f"Dimension {self} has no static size: use tf.shape(x)[i] for its size in a run"
            )
        return self._value

    __index__ = __int__

    def __bool__(self) -> bool:
        return bool(self._value)

    def _binary(self, other: Any, compute: Any) -> Any:
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other._value is None:
            return Dimension(None)
        return Dimension(compute(self._value, other._value))

    def __add__(self, other: Any) -> Any:
        return self._binary(other, lambda a, b: a + b)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._binary(other, lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Any:
        return self._binary(other, lambda a, b: b - a)

    def __mul__(self, other: Any) -> Any:
        return self._binary(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return self._binary(other, lambda a, b: a // b)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._binary(other, lambda a, b: b // a)

    __div__ = __floordiv__

    def __mod__(self, other: Any) -> Any:
        return self._binary(other, lambda a, b: a % b)

    def __rmod__(self, other: Any) -> Any:
        return self._binary(other, lambda a, b: b % a)

    def _compare(self, other: Any, compute: Any) -> Any:
        other = as_dimension(other)
        if self._value is None or other._value is None:
            return None
        return compute(self._value, other._value)

    def __lt__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: a < b)

    def __le__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: a <= b)

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: a > b)

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, lambda a, b: a >= b)


#: One entry of a shape: a size, the name of a symbolic size, or None when unknown.
Entry = int | str | None
#: The entries of a shape, or None when not even the rank is known.
Entries = tuple[Entry, ...] | None


def as_dimension(value: Any) -> Dimension:
    """The `Dimension` for an int, None, a symbol's name or a Dimension."""
    return value if isinstance(value, Dimension) else Dimension(value)


def merge_entries(a: Entry, b: Entry) -> Entry:
    """What is known of a size of which both `a` and `b` are known; ValueError on a clash."""
    if isinstance(a, int):
        if isinstance(b, int) and a != b:
            raise ValueError(f"Dimensions {a} and {b} are not compatible")
        return a
    if isinstance(b, int):
        return b
    return a if a is not None else b
