"""Operations along a tree: up to the root and down again. Few hops for what is small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.cluster.collectives.instructions import Done, Instruction, Send
from workbench.cluster.collectives.reductions import Array, Reduction

_UP, _DOWN = (0,), (1,)


class _Tree:
    """Who is above and below a rank, when the root is rank `root`."""

    def __init__(self, rank: int, size: int, root: int) -> None:
        place = (rank - root) % size
        below = [n for n in (2 * place + 1, 2 * place + 2) if n < size]
        self.children = [(n + root) % size for n in below]
        self.parent = None if not place else ((place - 1) // 2 + root) % size


class TreeReduce:
    """One rank's part of an all-reduce of small arrays: children's numbers are added in order.

    The arguments are those of `RingReduce`.
    """

    def __init__(
        self, rank: int, size: int, array: Array, out: Array, reduction: Reduction
    ) -> None:
        self._tree = _Tree(rank, size, 0)
        self._array, self._out, self._reduction = array, out, reduction
        self._came: dict[int, Array] = {}
        self._has_begun = self._is_sent = self._is_done = False

    def begin(self) -> list[Instruction]:
        """Sends what a leaf has."""
        self._has_begun = True
        return self._proceed()

    def arrived(
        self, sender: int, tag: tuple[int, ...], arrays: Sequence[Any]
    ) -> list[Instruction]:
        """A child's numbers, or the result from above."""
        if self._is_done:
            return []
        (array,) = arrays
        if array.dtype != self._array.dtype or array.shape != self._array.shape:
            raise ValueError(f"{array.dtype} of shape {array.shape} is not like its array")
        if tag == _DOWN:
            np.copyto(self._out, array)
            return self._finish()
        self._came.setdefault(sender, array)
        return self._proceed()

    def awaited(self) -> list[int]:
        """Children that have not sent; then the parent."""
        if self._is_done:
            return []
        missing = [c for c in self._tree.children if c not in self._came]
        if missing or self._tree.parent is None:
            return missing
        return [self._tree.parent]

    def _proceed(self) -> list[Instruction]:
        if not self._has_begun or self._is_sent or len(self._came) < len(self._tree.children):
            return []
        self._is_sent = True
        total = self._array.copy()
        for child in self._tree.children:
            self._reduction.combine(total, self._came[child], total)
        if self._tree.parent is not None:
            return [Send(self._tree.parent, _UP, (total,))]
        self._reduction.finish(total)
        np.copyto(self._out, total)
        return self._finish()

    def _finish(self) -> list[Instruction]:
        self._is_done = True
        # A copy: the result is the caller's, who may change it while it is on its way.
        sent = self._out.copy() if self._tree.children else None
        down: list[Instruction] = [Send(c, _DOWN, (sent,)) for c in self._tree.children]
        return [*down, Done(self._out)]


class TreeBroadcast:
    """One rank's part of a broadcast: all have what the rank `root` gave.

    `arrays` are what the root gives; other ranks give None.
    """

    def __init__(self, rank: int, size: int, root: int, arrays: Sequence[Any] | None) -> None:
        self._tree = _Tree(rank, size, root)
        self._arrays = arrays
        self._is_done = False

    def begin(self) -> list[Instruction]:
        """The root sends what it has."""
        if self._tree.parent is not None or self._arrays is None:
            return []
        return self._hand_on(tuple(self._arrays))

    def arrived(
        self, sender: int, tag: tuple[int, ...], arrays: Sequence[Any]
    ) -> list[Instruction]:
        """The arrays from above."""
        return [] if self._is_done else self._hand_on(tuple(arrays))

    def awaited(self) -> list[int]:
        """The rank above."""
        return [] if self._is_done or self._tree.parent is None else [self._tree.parent]

    def _hand_on(self, arrays: tuple[Any, ...]) -> list[Instruction]:
        self._is_done = True
        down: list[Instruction] = [Send(c, _DOWN, arrays) for c in self._tree.children]
        return [*down, Done(list(arrays))]
