"""The two programs of a replica's step: one gives the gradients, the other takes their average.

The first one writes what it gives where others read it. The second one is made of the user's
operations, with the average in the place of each gradient: so no array is read or written once
more for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.cluster.replication.cut import Cut
from workbench.core.graph.graph import Graph
from workbench.core.graph.importer import import_nodes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.arithmetic import add, multiply
from workbench.core.ops.placeholders import placeholder
from workbench.core.runtime.base_session import BaseSession
from workbench.core.runtime.feeds import flatten_feeds
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.state import SessionState

#: Programs for so many combinations of fetches and feeds are kept.
_MOST_PROGRAMS = 16


class Gradients:
    """The first program: the values at a cut, and what the user fetches beside them."""

    def __init__(self, session: Any, cut: Cut) -> None:
        self._session = session
        self._tensors = cut.tensors
        self._programs: dict[Any, tuple[FetchPlan, Callable[..., list[Any]]]] = {}

    def run(
        self, fetches: Any, feed: Any, memory: Mapping[Tensor, Any], side: int
    ) -> tuple[dict[Tensor, Any], Any]:
        """The values at the cut by tensor, and those of `fetches`.

        Values may be in `memory`, and are overwritten by the next run with it. `side` tells
        memories apart; `forget` is to be called before there are others of the same sides.
        """
        graph = self._session.graph
        pairs = flatten_feeds(graph, feed) if feed else []
        plan = FetchPlan(graph, [self._tensors, [] if fetches is None else fetches])
        key = (tuple(plan.elements), tuple(t for t, _ in pairs), side)
        known = self._programs.get(key)
        if known is None:
            run = self._session.make_callable(
                plan.elements, [t for t, _ in pairs], memory=dict(memory)
            )
            while len(self._programs) >= _MOST_PROGRAMS:
                del self._programs[next(iter(self._programs))]
            known = self._programs[key] = plan, run
        values, results = plan.build(known[1](*(value for _, value in pairs)))
        return dict(zip(self._tensors, values, strict=True)), results

    def forget(self) -> None:
        """Lets go of all memories."""
        self._programs.clear()


class SameState(BaseSession):
    """A session of another graph with the variables and resources of a user's session."""

    def __init__(self, session: Any, graph: Graph) -> None:
        tier = session._programs.tiers.tier.value
        super().__init__(graph=graph, config=session._config, tier=tier)
        self.state = session.state

    def close(self) -> None:
        """Forgets the programs; the state stays with the user's session."""
        self.state = SessionState()
        super().close()


class ApplyMeans:
    """The second program, for the gradients of so many ranks."""

    def __init__(self, session: Any, cut: Cut, ranks: int) -> None:
        graph = Graph()
        feeds: list[Tensor] = []
        given: dict[str, Tensor] = {}
        definition = cut.train_op.graph.as_graph_def()
        # No name of the user's begins with it.
        scope = "averages"
        while any(node.name.split("/")[0] == scope for node in definition.node):
            scope += "_"
        with graph.as_default(), graph.name_scope(scope):
            for tensor in cut.dense:
                parts = [placeholder(tensor.dtype.base_dtype, tensor.shape) for _ in range(ranks)]
                feeds += parts
                given[tensor.name] = _mean(parts)
            for tensor in cut.tensors[len(cut.dense) :]:
                given[tensor.name] = placeholder(tensor.dtype.base_dtype, tensor.shape)
                feeds.append(given[tensor.name])
        with graph.as_default():
            import_nodes(definition, given, name="", raises=False)
        self._session = SameState(session, graph)
        self._run = self._session.make_callable(cut.train_op.name, feeds)

    def __call__(self, arrays: Sequence[Sequence[Any]], others: Sequence[Any]) -> None:
        """Applies the average of what the ranks have: for each rank the dense values, and then
        all that has no average."""
        parts = [part for one in zip(*arrays, strict=True) for part in one]
        self._run(*parts, *others)

    def close(self) -> None:
        """Forgets it."""
        self._session.close()


def _mean(parts: Sequence[Tensor]) -> Tensor:
    """In the order of the ranks: all of them have the same bits."""
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    return multiply(total, 1 / len(parts)) if len(parts) > 1 else total
