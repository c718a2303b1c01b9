"""How the replicas of a group average what they computed, with the same bits on all of them.

Where they share memory, each writes its gradients where the others read them, and all that is left
to do is to wait for each other: the program that applies gradients adds them up. Elsewhere, and
for many replicas, gradients are averaged before, by `all_reduce`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.cluster.collectives.board import Board
from workbench.cluster.collectives.forming import Group
from workbench.cluster.collectives.shared_group import SharedGroup
from workbench.cluster.replication.buckets import Buckets
from workbench.cluster.replication.cut import Cut
from workbench.cluster.replication.encoding import GradientEncoding
from workbench.cluster.wire.traffic import through_memory
from workbench.core.graph.tensor import Tensor

Array = np.ndarray[Any, Any]
#: So many replicas read each other's gradients; more take parts in adding up.
MOST_READERS = 4
#: Smaller arrays are put together; larger ones are not copied for it.
_SMALL_BYTES = 32 << 10


class Exchanged(NamedTuple):
    """What the replicas of a group have exchanged in a step: now all can apply it."""

    #: The dense values of each rank, whose average is to be applied; or their averages alone.
    dense: Sequence[Sequence[Any]]
    #: Whether they are in the types of the encoding.
    is_rounded: bool
    #: What has no average.
    others: list[Any]
    #: The greatest of the integers that the ranks gave, in their order.
    notes: list[int]


class Averages:
    """Exchanges the values at a cut, step by step, in memory that is kept."""

    def __init__(self, cut: Cut, encoding: GradientEncoding) -> None:
        self._cut, self._encoding = cut, encoding
        self._pooled: _Pooled | None = None
        self._board: Board | None = None
        self._group: Group | None = None
        #: By side: where the values should be.
        self._memories: list[dict[Tensor, Array]] = [{}]
        self._has_others = len(cut.tensors) > len(cut.dense)
        self._errors: dict[int, Array] = {}

    def enter(self, group: Group, timeout: float) -> None:
        """Works with another group from now on; what it had for the one before is forgotten."""
        self.close()
        self._group = group
        key = self._static_key()
        if isinstance(group, SharedGroup) and group.size <= MOST_READERS and key:
            self._board = board = Board.open(group, key, timeout)
            if board is not None:
                own = [side[group.rank] for side in board.arrays]
                self._memories = [dict(zip(self._cut.dense, places, strict=True)) for places in own]

    @property
    def side(self) -> int:
        """Which of two memories is that of the coming step."""
        return self._board.side if self._board is not None else 0

    @property
    def memory(self) -> dict[Tensor, Array]:
        """Where the values of the coming step should be; elsewhere they are copied."""
        return self._memories[self.side]

    def exchange(self, values: Sequence[Any], notes: Sequence[int], timeout: float) -> Exchanged:
        """Gives the values of this replica, in the order of the cut's tensors, to the others, and
        gets theirs.

        The values stay as they are; results are overwritten by the step after the next one. The
        errors are those of the group.
        """
        group = self._group
        assert group is not None
        own, others = values[: len(self._cut.dense)], list(values[len(self._cut.dense) :])
        if group.size == 1:
            return Exchanged([own], True, others, list(notes))
        if self._has_others:
            others = self._unlike(values, group, timeout)
        if self._board is not None:
            return self._put_up(self._board, own, others, notes, timeout)
        given = np.array(notes, np.int64)
        agreed = group.all_reduce(given, "max", timeout=timeout).tolist()
        if self._encoding.is_worth(group.size):
            return Exchanged(self._gather(own, group, timeout), True, others, agreed)
        own = self._encoding.widened(own, self._cut.dense)
        if own and (self._pooled is None or self._pooled.key != Buckets.key_of(own)):
            self._pooled = _Pooled(own)
        averages = self._pooled.average(own, group, timeout) if self._pooled is not None else []
        return Exchanged([averages], False, others, agreed)

    def applied(self) -> None:
        """What was exchanged is part of the variables."""
        self._encoding.keep(self._errors)

    def _put_up(
        self,
        board: Board,
        own: Sequence[Any],
        others: list[Any],
        notes: Sequence[int],
        timeout: float,
    ) -> Exchanged:
        for place, value in zip(board.own, own, strict=True):
            if value is not place:
                np.copyto(place, value)
        saved = self._encoding.saved_bytes(own, own) if self._encoding.types else 0
        through_memory.add("replicas", bytes_shared=board.own_bytes, bytes_saved=saved)
        board.write_notes(notes)
        side = board.put_up("gradients", timeout)
        return Exchanged(board.arrays[side], True, others, board.greatest_notes(side, len(notes)))

    def _gather(self, own: Sequence[Any], group: Group, timeout: float) -> list[list[Any]]:
        """What all have, in the encoding, by the wire: the same bits are used of it everywhere."""
        encoding = self._encoding
        sent, self._errors = encoding.sent(own)
        group.count_saved(encoding.saved_bytes(sent, own) * (group.size - 1))
        return [encoding.received(each, own) for each in group.all_gather(sent, timeout)]

    def _unlike(self, values: Sequence[Any], group: Group, timeout: float) -> list[Any]:
        """What has no average, of all replicas, in the order of the cut."""
        cut = self._cut
        found = dict(zip(cut.tensors, values, strict=True))
        if cut.sparse:
            given = [found[t] for pair in cut.sparse for t in pair]
            parts = group.all_gather(given, timeout)
            for number, (rows, numbers) in enumerate(cut.sparse):
                all_rows = np.concatenate([part[2 * number] for part in parts])
                all_rows *= all_rows.dtype.type(1 / group.size)
                found[rows] = all_rows
                found[numbers] = np.concatenate([part[2 * number + 1] for part in parts])
        if cut.chosen:
            own = [found[t] for t in cut.chosen] if group.rank == 0 else None
            found.update(zip(cut.chosen, group.broadcast(own, 0, timeout), strict=True))
        return [found[t] for t in cut.tensors[len(cut.dense) :]]

    def _static_key(self) -> list[tuple[tuple[int, ...], Any]]:
        """The shapes and types of what goes on a board; nothing where one of them is not known
        before a step."""
        key: list[tuple[tuple[int, ...], Any]] = []
        for tensor in self._cut.dense:
            sizes = [n for n in tensor.entries or () if type(n) is int]
            if tensor.entries is None or len(sizes) < len(tensor.entries):
                return []
            key.append((tuple(sizes), self._encoding.type_of(tensor).numpy_dtype))
        return key

    def close(self) -> None:
        """Lets go of the memory that replicas share."""
        if self._board is not None:
            self._board.close()
        self._board = self._group = None
        self._memories = [{}]


class _Pooled:
    """Memory for the averages of arrays of some shapes and types, the small ones in one."""

    def __init__(self, arrays: Sequence[Any]) -> None:
        self.key = Buckets.key_of(arrays)
        is_small = [np.asarray(a).nbytes < _SMALL_BYTES for a in arrays]
        self._small = [n for n, small in enumerate(is_small) if small]
        self._large = [n for n, small in enumerate(is_small) if not small]
        self._together = Buckets.like([arrays[n] for n in self._small])
        self._apart = Buckets.like([arrays[n] for n in self._large])

    def average(self, arrays: Sequence[Any], group: Group, timeout: float) -> list[Any]:
        """The averages, in memory of this object."""
        self._together.fill([arrays[n] for n in self._small])
        flat, outs = self._together.flat, self._apart.views
        given = [*flat, *(arrays[n] for n in self._large)]
        group.all_reduce_many(given, "mean", [*flat, *outs], timeout)
        found: list[Any] = [None] * len(arrays)
        for numbers, views in ((self._small, self._together.views), (self._large, outs)):
            for number, view in zip(numbers, views, strict=True):
                found[number] = view
        return found
