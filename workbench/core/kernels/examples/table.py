"""The features of a batch of examples found all at once.

It takes examples as writers make them: each key once, numbers packed, nothing unknown. For all
others it raises UnusualError, and they are read one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.kernels.examples.specs import Column, Wanted
from workbench.core.kernels.examples.varints import (
    MARGIN,
    Bytes,
    Places,
    UnusualError,
    decode_integers,
    ensure,
    read_lengths,
)
from workbench.core.kernels.examples.wire import BYTES, FLOAT, INT64, read_bytes_list

# The first bytes of fields that are messages: their number times 8, plus 2.
_FIRST, _SECOND = 10, 18
_KIND_TAGS = (10, 18, 26)
#: Up to how many bytes pieces are short, on average.
_SHORT = 64


class _Entries(NamedTuple):
    """Some of the features in a batch, each with the number of its example."""

    rows: Places
    kinds: NDArray[Any]
    #: Where the list of values is; of numbers, where they are.
    starts: Places
    stops: Places


def read_columns(serialized: Sequence[bytes], wanted: Sequence[Wanted]) -> list[Column]:
    """The wanted features of all examples.

    Raises:
      UnusualError: an example is not as usual, or lacks what is wanted.
    """
    sizes = np.fromiter(map(len, serialized), np.int64, len(serialized))
    content = b"".join([*serialized, bytes(MARGIN)])
    buffer = np.frombuffer(content, np.uint8)
    found = _by_key(content, buffer, sizes, {each.key for each in wanted})
    return [_column(content, buffer, len(sizes), each, found.get(each.key)) for each in wanted]


def _by_key(
    content: bytes, buffer: Bytes, sizes: Places, wanted: set[bytes]
) -> dict[bytes, _Entries]:
    rows, starts, stops, steps = _entries(buffer, sizes)
    key_starts, key_stops, entries = _contents(buffer, rows, starts, stops)
    pieces: defaultdict[bytes, list[Any]] = defaultdict(list)
    for start, stop in zip(steps, [*steps[1:], len(rows)], strict=True):
        for key, chosen in _keys(content, buffer, key_starts, key_stops, start, stop):
            if key in wanted:
                pieces[key].append(chosen)
    return {key: _chosen(entries, parts) for key, parts in pieces.items()}


def _chosen(entries: _Entries, parts: list[Any]) -> _Entries:
    """The entries of one key, in the order of the examples."""
    if len(parts) == 1:
        return _Entries(*(column[parts[0]] for column in entries))
    index = np.concatenate(
        [np.arange(p.start, p.stop) if isinstance(p, slice) else p for p in parts]
    )
    rows = entries.rows[index]
    order = np.argsort(rows, kind="stable")
    ensure(np.diff(rows[order]) > 0)
    return _Entries(*(column[index[order]] for column in entries))


def _entries(buffer: Bytes, sizes: Places) -> tuple[Places, Places, Places, list[int]]:
    """Example, begin and end of each entry of the features; and where each round of entries, the
    first of all examples, the second, ... begins."""
    ends = np.cumsum(sizes)
    rows = np.flatnonzero(sizes)
    ends, at = ends[rows], (ends - sizes)[rows]
    ensure(buffer[at] == _FIRST)
    length, at = read_lengths(buffer, at + 1)
    ensure(at + length == ends)
    tags: list[Places] = []
    parts: list[tuple[Places, Places, Places]] = []
    steps: list[int] = []
    total = 0
    while True:
        more = at < ends
        if not more.all():
            done = ~more
            ensure(at[done] == ends[done])
            rows, at, ends = rows[more], at[more], ends[more]
        if not len(rows):
            break
        tags.append(at)
        length, start = read_lengths(buffer, at + 1)
        at = start + length
        parts.append((rows, start, at))
        steps.append(total)
        total += len(rows)
    if not parts:
        raise UnusualError
    ensure(buffer[np.concatenate(tags)] == _FIRST)
    first, second, third = (np.concatenate(column) for column in zip(*parts, strict=True))
    return first, second, third, steps


def _contents(
    buffer: Bytes, rows: Places, starts: Places, stops: Places
) -> tuple[Places, Places, _Entries]:
    """Where the key of each entry is, and what its feature has."""
    # Every place below is within the buffer: what goes beyond an entry is seen one line later.
    ensure(buffer[starts] == _FIRST)
    length, key_starts = read_lengths(buffer, starts + 1)
    key_stops = key_starts + length
    ensure(key_stops < stops)
    ensure(buffer[key_stops] == _SECOND)
    length, at = read_lengths(buffer, key_stops + 1)
    ensure((length > 0) & (at + length == stops))
    tags = buffer[at]
    length, at = read_lengths(buffer, at + 1)
    ensure(at + length == stops)
    kinds = np.select([tags == tag for tag in _KIND_TAGS], (BYTES, FLOAT, INT64), 0)
    ensure(kinds > 0)
    numbers = np.flatnonzero((kinds != BYTES) & (length > 0))
    ensure(buffer[at[numbers]] == _FIRST)
    length, inner = read_lengths(buffer, at[numbers] + 1)
    ensure(inner + length == stops[numbers])
    at[numbers] = inner
    return key_starts, key_stops, _Entries(rows, kinds, at, stops)


def _keys(
    content: bytes, buffer: Bytes, starts: Places, stops: Places, first: int, last: int
) -> Iterable[tuple[bytes, Any]]:
    """The keys of a round of entries, each with its entries: mostly they have one."""
    own_starts, own_stops = starts[first:last], stops[first:last]
    key = content[own_starts[0] : own_stops[0]]
    if (own_stops - own_starts == len(key)).all():
        letters = buffer[own_starts[:, None] + np.arange(len(key))]
        if (letters == letters[0]).all():
            return [(key, slice(first, last))]
    chosen: defaultdict[bytes, list[int]] = defaultdict(list)
    for number, (start, stop) in enumerate(
        zip(own_starts.tolist(), own_stops.tolist(), strict=True), first
    ):
        chosen[content[start:stop]].append(number)
    return [(key, np.array(numbers)) for key, numbers in chosen.items()]


def _column(
    content: bytes, buffer: Bytes, count: int, wanted: Wanted, entries: _Entries | None
) -> Column:
    if entries is None:
        entries = _Entries(*(np.zeros(0, np.int64) for _ in range(4)))
    ensure(entries.kinds == wanted.kind)
    own_counts, values = _values(content, buffer, wanted.kind, entries)
    missing = None
    if len(entries.rows) == count:
        counts = own_counts
    else:
        counts = np.zeros(count, np.int64)
        counts[entries.rows] = own_counts
        if wanted.size is not None:
            if wanted.default is None:
                raise UnusualError
            missing = np.ones(count, np.bool_)
            missing[entries.rows] = False
    if wanted.size is not None:
        ensure(own_counts == wanted.size)
    elif wanted.stride != 1:
        ensure(own_counts % wanted.stride == 0 if wanted.stride else own_counts == 0)
    return Column(counts, values, missing)


def _values(
    content: bytes, buffer: Bytes, kind: int, entries: _Entries
) -> tuple[Places, NDArray[Any]]:
    """How many values each entry has, and all of them."""
    starts, stops = entries.starts, entries.stops
    if kind == BYTES:
        return _strings(content, buffer, starts, stops)
    lengths = stops - starts
    pieces = _pieces(content, buffer, starts, lengths)
    if kind == FLOAT:
        ensure(lengths % 4 == 0)
        return lengths // 4, pieces.view("<f4").astype(np.float32)
    values, counts = decode_integers(pieces, lengths)
    return counts, values


def _pieces(content: bytes, buffer: Bytes, starts: Places, lengths: Places) -> Bytes:
    """Pieces of the content, one after the other."""
    total = int(lengths.sum())
    if total > _SHORT * len(lengths):
        places = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
        return np.frombuffer(b"".join([content[a:b] for a, b in places]), np.uint8)
    # Many short pieces are gathered byte by byte.
    before = np.cumsum(lengths) - lengths
    return buffer[np.repeat(starts - before, lengths) + np.arange(total)]


def _strings(
    content: bytes, buffer: Bytes, starts: Places, stops: Places
) -> tuple[Places, NDArray[Any]]:
    if (starts < stops).all():
        tags = buffer[starts]
        length, at = read_lengths(buffer, starts + 1)
        if (tags == _FIRST).all() and (at + length == stops).all():
            values = np.empty(len(starts), object)
            places = zip(at.tolist(), stops.tolist(), strict=True)
            values[:] = [content[start:stop] for start, stop in places]
            return np.ones(len(starts), np.int64), values
    lists = [
        read_bytes_list(content, start, stop)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]
    flat = [item for items in lists for item in items]
    values = np.empty(len(flat), object)
    values[:] = flat
    return np.fromiter(map(len, lists), np.int64, len(lists)), values
