"""All-reduce and all-gather around a ring: each rank sends to the next one only.

A chunk of an all-reduce starts at some rank and goes round: each rank adds its own numbers until
all have; then the result goes round once more. So each number is added up by one rank at a time in
an order that only depends on the chunk, and all ranks have the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.cluster.collectives.instructions import Done, Instruction, Send
from workbench.cluster.collectives.reductions import Array, Reduction


class RingReduce:
    """One rank's part of an all-reduce.

    Args:
      rank, size: which rank of how many this is.
      array: a flat array, of the same length and type on all ranks; it is not changed.
      out: where the result goes; it may be `array`.
      reduction: how the ranks' arrays become one.
      chunk: the most elements of a message.
    """

    def __init__(
        self, rank: int, size: int, array: Array, out: Array, reduction: Reduction, chunk: int
    ) -> None:
        self._rank, self._size = rank, size
        self._array, self._out, self._reduction = array, out, reduction
        per_rank = max(1, -(-array.size // size))
        #: The chunks by number: at which rank it starts, and where in the array it is.
        self._chunks: list[tuple[int, slice]] = []
        for start in range(size):
            low, end = min(start * per_rank, array.size), min((start + 1) * per_rank, array.size)
            for first in range(low, end, chunk):
                self._chunks.append((start, slice(first, min(first + chunk, end))))
        self._seen: set[tuple[int, ...]] = set()
        self._open = len(self._chunks)
        self._is_done = False

    def begin(self) -> list[Instruction]:
        """Sends the chunks that start here."""
        if self._size == 1:
            self._reduction.reduce([self._array], self._out)
            self._open = 0
            return self._end()
        # Views: the result replaces them when they have been everywhere.
        own = [n for n, (start, _) in enumerate(self._chunks) if start == self._rank]
        sent = [self._send(number, 1, self._array[self._chunks[number][1]]) for number in own]
        return sent + self._end()

    def arrived(
        self, sender: int, tag: tuple[int, ...], arrays: Sequence[Any]
    ) -> list[Instruction]:
        """A chunk came, for the `hop`-th time that it was sent."""
        number, hop = tag
        if self._is_done or tag in self._seen:
            return []
        self._seen.add(tag)
        where = self._chunks[number][1]
        (piece,) = arrays
        if piece.dtype != self._array.dtype or piece.size != where.stop - where.start:
            raise ValueError(f"{piece.dtype} of shape {piece.shape} is no chunk of its array")
        if hop < self._size:
            value = np.empty_like(piece)
            self._reduction.combine(piece, self._array[where], value)
            if hop == self._size - 1:
                self._reduction.finish(value)
        else:
            value = piece
        if hop >= self._size - 1:
            self._out[where] = value
            self._open -= 1
        sent = [self._send(number, hop + 1, value)] if hop < 2 * self._size - 2 else []
        return [*sent, *self._end()]

    def awaited(self) -> list[int]:
        """The rank before this one, until all is there."""
        return [] if self._is_done else [(self._rank - 1) % self._size]

    def _send(self, number: int, hop: int, value: Array) -> Instruction:
        return Send((self._rank + 1) % self._size, (number, hop), (value,))

    def _end(self) -> list[Instruction]:
        if self._open or self._is_done:
            return []
        self._is_done = True
        return [Done(self._out)]


class RingGather:
    """One rank's part of an all-gather: every rank has what each of them gave."""

    def __init__(self, rank: int, size: int, arrays: Sequence[Any]) -> None:
        self._rank, self._size = rank, size
        self._found: dict[int, tuple[Any, ...]] = {rank: tuple(arrays)}
        self._is_done = False

    def begin(self) -> list[Instruction]:
        """Sends what this rank gives."""
        sent: list[Instruction] = []
        if self._size > 1:
            sent = [Send((self._rank + 1) % self._size, (self._rank,), self._found[self._rank])]
        return sent + self._end()

    def arrived(
        self, sender: int, tag: tuple[int, ...], arrays: Sequence[Any]
    ) -> list[Instruction]:
        """What the rank in the tag gave came along the ring."""
        (giver,) = tag
        if giver in self._found:
            return []
        self._found[giver] = tuple(arrays)
        following = (self._rank + 1) % self._size
        sent: list[Instruction] = []
        if following != giver:
            sent = [Send(following, tag, self._found[giver])]
        return sent + self._end()

    def awaited(self) -> list[int]:
        """The rank before this one, until all is there."""
        return [] if self._is_done else [(self._rank - 1) % self._size]

    def _end(self) -> list[Instruction]:
        if len(self._found) < self._size or self._is_done:
            return []
        self._is_done = True
        return [Done([self._found[rank] for rank in range(self._size)])]
