"""The averages of what replicas computed, with the same bits on all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.cluster.collectives.forming import Group
from workbench.cluster.replication.buckets import Buckets
from workbench.cluster.replication.cut import Cut
from workbench.core.graph.tensor import Tensor


class Averages:
    """Averages the values at a cut, step by step, in memory that is kept."""

    def __init__(self, cut: Cut) -> None:
        self._cut = cut
        self._buckets: Buckets | None = None

    def of(self, values: Mapping[Tensor, Any], group: Group, timeout: float) -> dict[Tensor, Any]:
        """What the second program takes, for the values of this replica, which stay as they are.

        The results are overwritten by the next step.
        """
        cut = self._cut
        found = {t: values[t] for t in cut.own}
        if cut.dense:
            arrays = [values[t] for t in cut.dense]
            if self._buckets is None or self._buckets.key != Buckets.key_of(arrays):
                self._buckets = Buckets.like(arrays)
            self._buckets.fill(arrays)
            for flat in self._buckets.flat:
                group.all_reduce(flat, "mean", out=flat, timeout=timeout)
            found.update(zip(cut.dense, self._buckets.views, strict=True))
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
