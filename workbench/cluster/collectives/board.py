"""Memory in which each rank of a group puts its arrays, for all others to read where they are.

It has two sides, which the rounds use by turns: what a rank puts up in a round may be read until
that rank has put up the next one. So one wait in a round is enough: who is at the round after next
knows that all have read what was on its side before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.cluster.collectives.segments import Segment
from workbench.cluster.collectives.shared_group import SharedGroup
from workbench.cluster.collectives.sharing import share_segment
from workbench.cluster.collectives.wire_group import TIMEOUT

Array = np.ndarray[Any, Any]

#: Arrays, and the parts of ranks, begin at multiples of so many bytes.
_ALIGNMENT = 64
#: So many integers go with what a rank puts up.
NOTES = 8
_NOTES_BYTES = NOTES * 8

#: The shapes and types of arrays.
Key = Sequence[tuple[tuple[int, ...], Any]]


class Board:
    """What the ranks of a group have put up; made by `Board.open`, by all of them at once."""

    def __init__(self, group: SharedGroup, segment: Segment, key: Key) -> None:
        self._group, self._segment = group, segment
        self._rounds = 0
        memory = np.frombuffer(segment.buffer, np.uint8)
        stride = _bytes(key)
        #: How many bytes the arrays of a rank have.
        self.own_bytes = sum(_size(shape) * dtype.itemsize for shape, dtype in key)
        #: By side and rank: the arrays, and the integers beside them.
        self.arrays: list[list[list[Array]]] = []
        self._notes: list[list[memoryview[int]]] = []
        for side in range(2):
            parts = [
                memory[start : start + stride]
                for start in range(
                    side * stride * group.size, (side + 1) * stride * group.size, stride
                )
            ]
            self._notes.append([part[:_NOTES_BYTES].data.cast("q") for part in parts])
            self.arrays.append([_views(part[_NOTES_BYTES:], key) for part in parts])

    @staticmethod
    def open(group: SharedGroup, key: Key, timeout: float = TIMEOUT) -> Board | None:
        """A board for arrays of these shapes and types; None, on all ranks, if there is no room."""
        size = 2 * group.size * _bytes(key)
        segment = share_segment(group.wire, size, timeout)
        return Board(group, segment, key) if segment is not None else None

    @property
    def side(self) -> int:
        """The side of the coming round."""
        return self._rounds & 1

    @property
    def own(self) -> list[Array]:
        """Where this rank puts its arrays in the coming round."""
        return self.arrays[self.side][self._group.rank]

    def write_notes(self, numbers: Sequence[int]) -> None:
        """Has integers, at most `NOTES` of them, go with this rank's arrays in the coming round."""
        notes = self._notes[self._rounds & 1][self._group.rank]
        for place, number in enumerate(numbers):
            notes[place] = number

    def greatest_notes(self, side: int, count: int) -> list[int]:
        """The greatest of the ranks' integers on a side, by their place."""
        return [max(notes[n] for notes in self._notes[side]) for n in range(count)]

    def put_up(self, about: str, timeout: float = TIMEOUT) -> int:
        """Returns when all ranks have put up what they have; the side where it is.

        The errors are those of `SharedGroup`; a rank that put up its part and died after it counts.
        """
        side = self.side
        self._group.advance(about, timeout)
        self._rounds += 1
        return side

    def close(self) -> None:
        """Lets go of the memory; arrays that somebody keeps stay."""
        self.arrays, self._notes = [], []
        self._segment.close([])


def _bytes(key: Key) -> int:
    return _NOTES_BYTES + sum(_rounded(_size(shape) * dtype.itemsize) for shape, dtype in key)


def _views(memory: Array, key: Key) -> list[Array]:
    views, start = [], 0
    for shape, dtype in key:
        size = _size(shape) * dtype.itemsize
        views.append(memory[start : start + size].view(dtype).reshape(shape))
        start += _rounded(size)
    return views


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _rounded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
