"""What replicas have in common: the values of the variables, and how many steps made them."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.cluster.collectives.forming import Group
from workbench.core.errors import FailedPreconditionError
from workbench.core.graph.keys import GraphKeys


class ReplicatedState:
    """The global variables of a session's graph."""

    def __init__(self, session: Any) -> None:
        self._session = session
        graph = session.graph
        self._variables = list(dict.fromkeys(graph.get_collection(GraphKeys.GLOBAL_VARIABLES)))

    def share(self, group: Group, root: int, step: int, timeout: float) -> int:
        """All take the variables of the rank `root`, and the number of its steps.

        FailedPreconditionError where graphs differ.
        """
        names = np.frombuffer("\n".join(v.name for v in self._variables).encode(), np.uint8)
        given = None
        if group.rank == root:
            values = self._session.run(self._variables)
            given = [np.array(step, np.int64), names, *values]
        step_number, their_names, *values = group.broadcast(given, root, timeout)
        if their_names.tobytes() != names.tobytes():
            raise FailedPreconditionError(
                None, None, "The variables of the replicas differ: all must have the same graph"
            )
        if group.rank != root:
            for variable, value in zip(self._variables, values, strict=True):
                variable.load(value, self._session)
        return int(step_number)
