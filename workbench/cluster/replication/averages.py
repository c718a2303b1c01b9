"""The averages of what replicas computed, with the same bits on all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.cluster.collectives.forming import Group
from workbench.cluster.replication.buckets import Buckets
from workbench.cluster.replication.cut import Cut
from workbench.core.graph.tensor import Tensor

#: Smaller arrays are put together; larger ones are not copied for it.
_SMALL_BYTES = 32 << 10


class _Dense:
    """Memory for the averages of arrays of some shapes and types."""

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


class Averages:
    """Averages the values at a cut, step by step, in memory that is kept."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        self._dense: _Dense | None = None

    def of(self, values: Mapping[Tensor, Any], group: Group, timeout: float) -> dict[Tensor, Any]:
        """What the second program takes, for the values of this replica, which stay as they are.

        The results are overwritten by the next step.
        """
        cut = self._cut
        found = {t: values[t] for t in cut.own}
        if group.size == 1:
            return dict(values)
        if cut.dense:
            arrays = [values[t] for t in cut.dense]
            if self._dense is None or self._dense.key != Buckets.key_of(arrays):
                self._dense = _Dense(arrays)
            found.update(zip(cut.dense, self._dense.average(arrays, group, timeout), strict=True))
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
        return found
