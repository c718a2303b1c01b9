"""Static shapes: what is known of a tensor's shape before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workbench.core.graph.dimension import Dimension, Entries, Entry, merge_entries


class TensorShape:
    """The static shape of a tensor: a tuple of dimensions, or wholly unknown.

    Sizes may be ints, None (unknown) or strings (symbolic: equal wherever the name occurs).

    >>> import workbench as tf
    >>> shape = tf.TensorShape(["batch", 784])
    >>> shape.ndims, shape.as_list(), shape.is_fully_defined()
    (2, [None, 784], False)
    >>> shape.merge_with([32, None])
    TensorShape([Dimension(32), Dimension(784)])
    """

    __slots__ = ("entries",)

    def __init__(self, dims: Any) -> None:
        #: The raw entries (ints, symbol names, None), or None when the rank is unknown.
        self.entries: Entries
        if dims is None:
            self.entries = None
        elif isinstance(dims, TensorShape):
            self.entries = dims.entries
        elif hasattr(dims, "unknown_rank") and hasattr(dims, "dim"):
            self.entries = (
                None
                if dims.unknown_rank
                else tuple(None if d.size == -1 else int(d.size) for d in dims.dim)
            )
        elif isinstance(dims, (str, Dimension)) or not isinstance(dims, Iterable):
            self.entries = (Dimension(dims).entry,)
        else:
            self.entries = tuple(
                d if type(d) is int and d >= 0 else Dimension(d).entry for d in dims
            )

    @classmethod
    def of(cls, entries: Entries) -> TensorShape:
        """The shape of entries that are known to be valid."""
        shape = cls.__new__(cls)
        shape.entries = entries
        return shape

    @property
    def dims(self) -> list[Dimension] | None:
        """The dimensions, or None when the rank is unknown."""
        return None if self.entries is None else [Dimension(e) for e in self.entries]

    @property
    def ndims(self) -> int | None:
        """The rank, or None when unknown."""
        return None if self.entries is None else len(self.entries)

    rank = ndims

    def __len__(self) -> int:
        return len(self._known_rank("len()"))

    def _known_rank(self, what: str) -> tuple[Entry, ...]:
        if self.entries is None:
            raise ValueError(
                f"Cannot take {what} of a shape with unknown rank: it is not defined on an unknown "
                "TensorShape."
            )
        return self.entries

    def __bool__(self) -> bool:
        return self.entries is not None

    def __iter__(self) -> Iterator[Dimension]:
        return iter([Dimension(e) for e in self._known_rank("the dimensions")])

    def __getitem__(self, key: int | slice) -> Any:
        if self.entries is None:
            if not isinstance(key, slice):
                return Dimension(None)
            start, stop = key.start or 0, key.stop
            if key.step is not None or stop is None or start < 0 or stop < 0:
                return TensorShape(None)
            return TensorShape([None] * max(0, stop - start))
        if isinstance(key, slice):
            return TensorShape.of(self.entries[key])
        return Dimension(self.entries[key])

    def num_elements(self) -> int | None:
        """The number of elements, or None when a size is unknown."""
        if not self.is_fully_defined():
            return None
        total = 1
        for entry in self.as_list():
            total *= entry
        return total

    def merge_with(self, other: Any) -> TensorShape:
        """The shape with what is known of both; ValueError where they disagree."""
        return TensorShape.of(merge_shapes(self.entries, as_shape(other).entries))

    def concatenate(self, other: Any) -> TensorShape:
        """This shape followed by the dimensions of `other`."""
        other = as_shape(other)
        if self.entries is None or other.entries is None:
            return TensorShape(None)
        return TensorShape.of(self.entries + other.entries)

    def assert_same_rank(self, other: Any) -> None:
        """Raises ValueError unless the two may have the same rank."""
        other = as_shape(other)
        if None not in (self.ndims, other.ndims) and self.ndims != other.ndims:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank: int) -> None:
        """Raises ValueError unless the shape may have `rank`."""
        if self.ndims not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def with_rank(self, rank: int) -> TensorShape:
        """This shape, known to have `rank`; ValueError where it has another."""
        return self.merge_with([None] * rank) if self._rank_may(rank, rank) else self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """This shape; ValueError where its rank is below `rank`."""
        self._rank_may(rank, None)
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """This shape; ValueError where its rank is above `rank`."""
        self._rank_may(None, rank)
        return self

    def _rank_may(self, low: int | None, high: int | None) -> bool:
        n = self.ndims
        if n is not None and low is not None and low == high and n != low:
            raise ValueError(f"Shape {self} must have rank {low}")
        if n is not None and low is not None and n < low:
            raise ValueError(f"Shape {self} must have rank at least {low}")
        if n is not None and high is not None and n > high:
            raise ValueError(f"Shape {self} must have rank at most {high}")
        return True

    def is_compatible_with(self, other: Any) -> bool:
        """True when some array fits both shapes."""
        try:
            self.merge_with(other)
        except ValueError:
            return False
        return True

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless some array fits both shapes."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {as_shape(other)} are incompatible")

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """The most that is known of a shape which both this one and `other` are cases of."""
        theirs = as_shape(other).entries
        if self.entries is None or theirs is None or len(self.entries) != len(theirs):
            return TensorShape(None)
        pairs = zip(self.entries, theirs, strict=True)
        return TensorShape.of(tuple(a if a == b else None for a, b in pairs))

    def is_fully_defined(self) -> bool:
        """True when every size is known."""
        return self.entries is not None and all(isinstance(e, int) for e in self.entries)

    def assert_is_fully_defined(self) -> None:
        """Raises ValueError unless every size is known."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def as_list(self) -> list[Any]:
        """The sizes, None where unknown; ValueError when the rank is unknown."""
        known = self._known_rank("as_list()")
        return [e if isinstance(e, int) else None for e in known]

    def as_proto(self) -> Any:
        """A TensorShapeProto."""
        from workbench.core.protos import TensorShapeProto

        if self.entries is None:
            return TensorShapeProto(unknown_rank=True)
        dim = TensorShapeProto.Dim
        return TensorShapeProto(dim=[dim(size=-1 if e is None else e) for e in self.as_list()])

    def __eq__(self, other: object) -> bool:
        try:
            other = as_shape(other)
        except (TypeError, ValueError):
            return NotImplemented
        return self.entries == other.entries

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.entries)

    def __repr__(self) -> str:
        return f"TensorShape({self.dims})"

    def __str__(self) -> str:
        return format_entries(self.entries)

    def __reduce__(self) -> tuple[Any, tuple[Any]]:
        return TensorShape, (self.entries,)


def as_shape(value: Any) -> TensorShape:
    """The `TensorShape` for a sequence of sizes, an int, None or a TensorShape."""
    return value if isinstance(value, TensorShape) else TensorShape(value)


def format_entries(entries: Entries) -> str:
    """The shape as errors write it: "(?, 784)", or "<unknown>"."""
    if entries is None:
        return "<unknown>"
    inner = ", ".join("?" if e is None else str(e) for e in entries)
    return f"({inner},)" if len(entries) == 1 else f"({inner})"


def merge_shapes(a: Entries, b: Entries) -> Entries:
    """What is known of a shape of which both `a` and `b` are known; ValueError on a clash."""
    if a is None or b is None:
        return b if a is None else a
    if len(a) != len(b):
        raise ValueError(f"Shapes {format_entries(a)} and {format_entries(b)} are not compatible")
    try:
        return tuple(map(merge_entries, a, b))
    except ValueError:
        raise ValueError(
            f"Shapes {format_entries(a)} and {format_entries(b)} are not compatible"
        ) from None


def broadcast_entries(a: Entries, b: Entries) -> Entries:
    """The shape of an element-wise operation on `a` and `b`; ValueError where they clash."""
    if a == b:
        return a
    if a is None or b is None:
        return None
    rank = max(len(a), len(b))
    padded_a: tuple[Entry, ...] = (1,) * (rank - len(a)) + a
    padded_b: tuple[Entry, ...] = (1,) * (rank - len(b)) + b
    result: list[Entry] = []
    for x, y in zip(padded_a, padded_b, strict=True):
        if x == y and x is not None:
            result.append(x)
        elif x == 1:
            result.append(y)
        elif y == 1:
            result.append(x)
        elif isinstance(x, int) and isinstance(y, int):
            raise ValueError(
                f"shapes {format_entries(a)} and {format_entries(b)} do not broadcast: "
                f"{x} against {y}"
            )
        elif isinstance(x, int) or isinstance(y, int):
            # An unknown size beside a known one larger than 1 can only be that size or 1.
            result.append(x if isinstance(x, int) else y)
        else:
            result.append(None)
    return tuple(result)


def broadcast_static_shape(shape_x: TensorShape, shape_y: TensorShape) -> TensorShape:
    """The shape that element-wise operations give for two shapes.

    >>> import workbench as tf
    >>> tf.broadcast_static_shape(tf.TensorShape([5, 1]), tf.TensorShape([3])).as_list()
    [5, 3]
    """
    return TensorShape.of(broadcast_entries(as_shape(shape_x).entries, as_shape(shape_y).entries))


def count_entries(entries: Sequence[Entry]) -> int | None:
    """The product of sizes, None when one is unknown."""
    total = 1
    for entry in entries:
        if not isinstance(entry, int):
            return None
        total *= entry
    return total


__all__ = [
    "Dimension",
    "Entries",
    "Entry",
    "TensorShape",
    "as_shape",
    "broadcast_entries",
    "broadcast_static_shape",
    "count_entries",
    "format_entries",
    "merge_entries",
    "merge_shapes",
]
