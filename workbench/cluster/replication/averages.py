"""How the replicas of a group average what they computed, with the same bits on all of them.

Where they share memory, each writes its gradients where the others read them, and all that is left
to do is to wait for each other: the program that applies gradients adds them up. Elsewhere, and
for many replicas, gradients are averaged before, by `all_reduce`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.cluster.collectives.board import Board
from workbench.cluster.collectives.forming import Group
from workbench.cluster.collectives.shared_group import SharedGroup
from workbench.cluster.replication.buckets import Buckets
from workbench.cluster.replication.cut import Cut
from workbench.core.graph.tensor import Tensor

Array = np.ndarray[Any, Any]
Values = Mapping[Tensor, Any]

#: So many replicas read each other's gradients; more take parts in adding up.
MOST_READERS = 4
#: Smaller arrays are put together; larger ones are not copied for it.
_SMALL_BYTES = 32 << 10


class Exchanged(NamedTuple):
    """What the replicas of a group have exchanged in a step: now all can apply it."""

    #: The dense values of each rank, whose average is to be applied; or their averages alone.
    dense: Sequence[Sequence[Any]]
    #: What has no average.
    others: list[Any]
    #: The greatest of the integers that the ranks gave, in their order.
    notes: list[int]


class Averages:
    """Exchanges the values at a cut, step by step, in memory that is kept."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        self._pooled: _Pooled | None = None
        self._board: Board | None = None
        self._group: Group | None = None

    def enter(self, group: Group, timeout: float) -> None:
        """Works with another group from now on; what it had for the one before is forgotten."""
        self.close()
        self._group = group
        key = _static_key(self._cut.dense)
        if isinstance(group, SharedGroup) and group.size <= MOST_READERS and key:
            self._board = Board.open(group, key, timeout)

    @property
    def side(self) -> int:
        """Which of two memories is that of the coming step."""
        return self._board.side if self._board is not None else 0

    @property
    def memory(self) -> dict[Tensor, Array]:
        """Where the values of the coming step should be; elsewhere they are copied."""
        if self._board is None:
            return {}
        return dict(zip(self._cut.dense, self._board.own, strict=True))

    def exchange(self, values: Values, notes: Sequence[int], timeout: float) -> Exchanged:
        """Gives the values of this replica to the others, and gets theirs.

        The values stay as they are; results are overwritten by the step after the next one. The
        errors are those of the group.
        """
        group, cut = self._group, self._cut
        assert group is not None
        own = [values[t] for t in cut.dense]
        if group.size == 1:
            return Exchanged([own], [values[t] for t in cut.tensors[len(own) :]], list(notes))
        others = self._unlike(values, group, timeout)
        if self._board is not None:
            return self._put_up(self._board, own, others, notes, timeout)
        given = np.array(notes, np.int64)
        agreed = group.all_reduce(given, "max", timeout=timeout).tolist()
        if own and (self._pooled is None or self._pooled.key != Buckets.key_of(own)):
            self._pooled = _Pooled(own)
        averages = self._pooled.average(own, group, timeout) if self._pooled is not None else []
        return Exchanged([averages], others, agreed)

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
        board.own_notes[: len(notes)] = notes
        side = board.put_up("gradients", timeout)
        agreed = np.max(board.notes[side], axis=0)[: len(notes)].tolist()
        return Exchanged(board.arrays[side], others, agreed)

    def _unlike(self, values: Values, group: Group, timeout: float) -> list[Any]:
        """What has no average, of all replicas, in the order of the cut."""
        cut = self._cut
        found = dict(values)
        if cut.sparse:
            given = [values[t] for pair in cut.sparse for t in pair]
            parts = group.all_gather(given, timeout)
            for number, (rows, numbers) in enumerate(cut.sparse):
                all_rows = np.concatenate([part[2 * number] for part in parts])
                all_rows *= all_rows.dtype.type(1 / group.size)
                found[rows] = all_rows
                found[numbers] = np.concatenate([part[2 * number + 1] for part in parts])
        if cut.chosen:
            own = [values[t] for t in cut.chosen] if group.rank == 0 else None
            found.update(zip(cut.chosen, group.broadcast(own, 0, timeout), strict=True))
        return [found[t] for t in cut.tensors[len(cut.dense) :]]

    def close(self) -> None:
        """Lets go of the memory that replicas share."""
        if self._board is not None:
            self._board.close()
        self._board = self._group = None


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


def _static_key(tensors: Sequence[Tensor]) -> list[tuple[tuple[int, ...], Any]]:
    """The shapes and types of tensors; nothing where one of them is not known before a run."""
    key: list[tuple[tuple[int, ...], Any]] = []
    for tensor in tensors:
        sizes = [n for n in tensor.entries or () if type(n) is int]
        if tensor.entries is None or len(sizes) < len(tensor.entries):
            return []
        key.append((tuple(sizes), tensor.dtype.base_dtype.numpy_dtype))
    return key
