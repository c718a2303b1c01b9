"""What replicas have in common: the values of the variables, and how many steps made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.cluster.collectives.forming import Group
from workbench.core.errors import FailedPreconditionError, InvalidArgumentError
from workbench.core.graph.keys import GraphKeys


class ReplicatedState:
    """The global variables of a session's graph."""

    def __init__(self, session: Any) -> None:
        self._session = session
        graph = session.graph
        self.variables = list(dict.fromkeys(graph.get_collection(GraphKeys.GLOBAL_VARIABLES)))
        self.names = [v.op.name for v in self.variables]
        #: What is to be the same for all replicas.
        self._kinds = [f"{v.op.name}, {v.dtype.base_dtype.name} {v.shape}" for v in self.variables]

    def values(self) -> dict[str, Any]:
        """Copies of the values, by the variables' names."""
        found = self._session.run(self.variables)
        return {name: np.array(v) for name, v in zip(self.names, found, strict=True)}

    def load(self, values: Mapping[str, Any]) -> None:
        """Gives the variables other values.

        InvalidArgumentError where `values` are not those of these variables; nothing is changed.
        """
        if set(values) != set(self.names):
            differ = sorted(set(values) ^ set(self.names))
            raise InvalidArgumentError(
                None, None, f"The variables are not those of this graph: {', '.join(differ[:5])}"
            )
        for variable in self.variables:
            shape = np.shape(values[variable.op.name])
            if not variable.shape.is_compatible_with(shape):
                raise InvalidArgumentError(
                    None,
                    None,
                    f"{variable.op.name} has the shape {variable.shape}: {shape} does not fit",
                )
        for variable, name in zip(self.variables, self.names, strict=True):
            variable.load(values[name], self._session)

    def take(self, values: Sequence[Any], numbers: Sequence[int] | None = None) -> None:
        """Gives the variables, or those with some numbers, other values, in their order."""
        chosen = self.variables if numbers is None else [self.variables[n] for n in numbers]
        for variable, value in zip(chosen, values, strict=True):
            variable.load(value, self._session)

    def share(
        self, group: Group, root: int, counts: Sequence[int], timeout: float
    ) -> Sequence[int]:
        """All take the variables of the rank `root`, and get the counts that it gives.

        FailedPreconditionError where graphs differ.
        """
        kinds = np.frombuffer("\n".join(self._kinds).encode(), np.uint8)
        given = None
        if group.rank == root:
            values = self._session.run(self.variables)
            given = [np.array(counts, np.int64), kinds, *values]
        their_counts, their_kinds, *values = group.broadcast(given, root, timeout)
        if their_kinds.tobytes() != kinds.tobytes():
            raise self._mismatch(their_kinds.tobytes().decode(errors="replace").split("\n"))
        if group.rank != root:
            self.take(values)
        return [int(n) for n in their_counts]

    def _mismatch(self, theirs: list[str]) -> FailedPreconditionError:
        """The error of a replica whose variables are not those of the others."""
        own = [kind for kind in self._kinds if kind not in theirs]
        others = [kind for kind in theirs if kind not in self._kinds]
        told = [f"{who} {'; '.join(k[:3])}" for who, k in (("here", own), ("there", others)) if k]
        return FailedPreconditionError(
            None,
            None,
            f"The variables of the replicas differ: {', and '.join(told) or 'their order'}. All "
            "must have the same graph",
        )
