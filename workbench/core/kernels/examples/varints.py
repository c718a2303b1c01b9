"""Numbers of variable length, many at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

#: Bytes after the end of a buffer that reading at a place within it may touch.
MARGIN = 16
#: The most bytes of a length that is read many at once: 28 bits.
_MOST_LENGTH_BYTES = 4


class UnusualError(ValueError):
    """Bytes that the fast way does not know: they may be wrong, or only uncommon."""


def ensure(condition: Any) -> None:
    """Raises UnusualError unless something holds everywhere."""
    if not condition.all():
        raise UnusualError


def read_lengths(buffer: Bytes, at: Places) -> tuple[Places, Places]:
    """The numbers at places of a buffer (with a margin), and the places after them."""
    first = buffer[at]
    after = at + 1
    if first.max(initial=0) < 128:
        return first.astype(np.int64), after
    value = (first & 127).astype(np.int64)
    more = first >= 128
    for turn in range(1, _MOST_LENGTH_BYTES):
        byte = buffer[after]
        value = np.where(more, value | (byte & 127).astype(np.int64) << 7 * turn, value)
        after = after + more
        more = more & (byte >= 128)
        if not more.any():
            return value, after
    raise UnusualError


def decode_integers(buffer: Bytes, lengths: Places) -> tuple[NDArray[np.int64], Places]:
    """The int64 numbers in bytes that consist of pieces, and how many each piece has."""
    is_last = buffer < 128
    stops = np.cumsum(lengths)
    if is_last.all():
        return buffer.astype(np.int64), lengths
    filled = lengths > 0
    ensure(is_last[stops[filled] - 1])
    ends = np.flatnonzero(is_last)
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    sizes = ends - starts + 1
    if sizes.max() > 10:
        raise UnusualError
    place = np.arange(len(buffer)) - np.repeat(starts, sizes)
    parts = (buffer & 127).astype(np.uint64) << (7 * place).astype(np.uint64)
    values = np.bitwise_or.reduceat(parts, starts).view(np.int64)
    total = np.concatenate([[0], np.cumsum(is_last)])
    return values, total[stops] - total[stops - lengths]
