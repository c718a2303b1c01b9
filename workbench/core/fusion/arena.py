"""Places in one piece of memory for arrays that live at known times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: Arrays begin on cache lines.
_ALIGNMENT = 64


class Lifetime(NamedTuple):
    """An array's size in bytes, and the first and last step that use it."""

    size: int
    first: int
    last: int


def assign_offsets(lifetimes: Sequence[Lifetime]) -> tuple[list[int], int]:
    """An offset for each array, and the bytes of the whole; arrays that live together do not meet.

    Large arrays are placed first, each at the lowest place that is free while it lives.

    >>> assign_offsets([Lifetime(100, 0, 1), Lifetime(64, 1, 2), Lifetime(128, 2, 3)])
    ([0, 128, 0], 192)
    """
    order = sorted(range(len(lifetimes)), key=lambda i: (-lifetimes[i].size, lifetimes[i].first))
    firsts = np.array([t.first for t in lifetimes], np.int64)
    lasts = np.array([t.last for t in lifetimes], np.int64)
    offsets = np.zeros(len(lifetimes), np.int64)
    ends = np.zeros(len(lifetimes), np.int64)
    placed: list[int] = []
    total = 0
    for i in order:
        size = -(-lifetimes[i].size // _ALIGNMENT) * _ALIGNMENT
        index = np.array(placed, np.int64)
        together = index[(firsts[index] <= lasts[i]) & (lasts[index] >= firsts[i])]
        at = 0
        for begin, end in sorted(zip(offsets[together], ends[together], strict=True)):
            if begin - at >= size:
                break
            at = max(at, int(end))
        offsets[i], ends[i] = at, at + size
        placed.append(i)
        total = max(total, at + size)
    return [int(o) for o in offsets], total
