"""The fetches of steps as flat lists, which a session knows again much quicker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.fetches import FetchPlan

#: So many structures are remembered at a time.
_MOST = 64


class StepFetches:
    """Takes structures of fetches apart, and remembers how those are put together again.

    >>> import workbench as tf
    >>> x, y = tf.constant(1, name="x"), tf.constant(2, name="y")
    >>> flat, build = StepFetches(x.graph).flat({"caller": [x, y], "hook": y})
    >>> [tensor.name for tensor in flat], build([1, 2])
    (['x:0', 'y:0'], {'caller': [1, 2], 'hook': 2})
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[Any, tuple[list[Any], Callable[[list[Any]], Any], Any]] = {}

    def flat(self, fetches: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
        """What to fetch, and a function that puts the values of that together."""
        key = _identity(fetches)
        found = None if key is None else self._known.get(key)
        if found is None:
            plan = FetchPlan(self._graph, fetches)
            # The structure is kept: as long as it lives, its parts' ids are theirs.
            found = list(plan.elements), plan.build, fetches
            if key is not None:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[key] = found
        return found[0], found[1]


def _identity(fetches: Any) -> Any:
    """What tells a structure apart from others; None where that is not known."""
    if isinstance(fetches, (Tensor, Operation)) or hasattr(fetches, "_as_graph_element"):
        return id(fetches)
    if isinstance(fetches, str):
        return fetches
    if isinstance(fetches, dict):
        parts = tuple(map(_identity, fetches.values()))
        return None if None in parts else (dict, tuple(fetches), parts)
    if type(fetches) in (list, tuple):
        parts = tuple(map(_identity, fetches))
        return None if None in parts else (type(fetches), parts)
    return None
