"""The two programs of a replica's step: one gives the gradients, the other takes their average.

The first one writes what it gives where others read it. The second one is made of the user's
operations, with the average in the place of each gradient: so no array is read or written once
more for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from workbench.cluster.replication.cut import Cut
from workbench.cluster.replication.encoding import GradientEncoding
from workbench.cluster.replication.strategy import Look
from workbench.core.graph.graph import Graph
from workbench.core.graph.importer import import_nodes
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.arithmetic import add, multiply
from workbench.core.ops.casting import cast
from workbench.core.ops.placeholders import placeholder
from workbench.core.runtime.base_session import BaseSession
from workbench.core.runtime.feeds import flatten_feeds
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.state import SessionState

#: Programs for so many combinations of fetches and feeds are kept.
_MOST_PROGRAMS = 16


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


class _Own:
    """The user's graph, where gradients are given as they are."""

    def __init__(self, session: Any, cut: Cut) -> None:
        self.session, self.tensors = session, cut.tensors

    def element(self, element: Tensor | Operation) -> Tensor | Operation:
        """What stands for an element of the user's graph."""
        return element

    def close(self) -> None:
        """The session stays the user's."""


class _Rounding:
    """A copy of the user's graph that rounds gradients to shorter types as it computes them."""

    def __init__(self, session: Any, cut: Cut, encoding: GradientEncoding) -> None:
        graph, definition = Graph(), cut.train_op.graph.as_graph_def()
        with graph.as_default():
            import_nodes(definition, name="", raises=False)
            with graph.name_scope(_unused_scope(definition, "rounded")):
                self.tensors = [self._given(graph, t, encoding) for t in cut.tensors]
        self._graph = graph
        self.session = SameState(session, graph)

    @staticmethod
    def _given(graph: Graph, tensor: Tensor, encoding: GradientEncoding) -> Tensor:
        copy: Tensor = graph.get_tensor_by_name(tensor.name)
        return cast(copy, encoding.types[tensor]) if tensor in encoding.types else copy

    def element(self, element: Tensor | Operation) -> Tensor | Operation:
        """What stands for an element of the user's graph; KeyError where it is newer."""
        found: Tensor | Operation = self._graph.as_graph_element(element.name)
        return found

    def close(self) -> None:
        """Forgets the programs."""
        self.session.close()


class _Prepared(NamedTuple):
    """What gives the values of some elements for some feeds."""

    run: Callable[..., list[Any]]
    #: What it fetches, each once, and what it is fed.
    wanted: list[Tensor | Operation]
    fed: list[Tensor | Operation]
    #: Where among these the values are that are asked for; None where they are the same.
    positions: list[int] | None


class Gradients:
    """The first program: the values at a cut, and what the user fetches beside them."""

    def __init__(self, session: Any, cut: Cut, encoding: GradientEncoding) -> None:
        self._session, self._cut, self._encoding = session, cut, encoding
        self._home: _Own | _Rounding = _Own(session, cut)
        if encoding.types:
            self._home = _Rounding(session, cut, encoding)
        self._plans: dict[Any, FetchPlan] = {}
        self._programs: dict[Any, _Prepared] = {}

    def run(
        self,
        fetches: Any,
        feed: Any,
        memory: Mapping[Tensor, Any],
        side: int,
        look: Look | None = None,
    ) -> tuple[list[Any], Any]:
        """The values at the cut, in the order of its tensors, and those of `fetches`.

        Values may be in `memory`, and are overwritten by the next run with it. `side` tells
        memories apart; `forget` is to be called before there are others of the same sides. Nobody
        can look into a copy of the graph that rounds.
        """
        if all(type(key) is Tensor for key in feed or ()):
            fed, given = tuple(feed or ()), feed.values() if feed else ()
        else:
            pairs = flatten_feeds(self._session.graph, feed)
            fed, given = tuple(t for t, _ in pairs), [value for _, value in pairs]
        plan = self._plan(fetches)
        key = (tuple(plan.elements), fed, side)
        prepared = self._programs.get(key)
        if prepared is None:
            prepared = self._make(plan.elements, fed, memory)
            while len(self._programs) >= _MOST_PROGRAMS:
                del self._programs[next(iter(self._programs))]
            self._programs[key] = prepared
        values = None
        if look is not None and self._home.session is self._session:
            fed_values = dict(zip(prepared.fed, given, strict=True))
            values = look(self._session, prepared.wanted, fed_values)
        if values is None:
            values = prepared.run(*given)
        if prepared.positions is not None:
            values = [values[p] for p in prepared.positions]
        count = len(self._cut.tensors)
        return values[:count], plan.build(values[count:])

    def _plan(self, fetches: Any) -> FetchPlan:
        """What is fetched beside; it is kept where the fetches cannot change."""
        if isinstance(fetches, (Tensor, Operation)):
            key: Any = fetches
        elif type(fetches) in (list, tuple) and all(type(f) is Tensor for f in fetches):
            key = (type(fetches), *fetches)
        else:
            return FetchPlan(self._session.graph, [] if fetches is None else fetches)
        found = self._plans.get(key)
        if found is None:
            while len(self._plans) >= _MOST_PROGRAMS:
                del self._plans[next(iter(self._plans))]
            found = self._plans[key] = FetchPlan(self._session.graph, fetches)
        return found

    def _make(
        self,
        elements: Sequence[Tensor | Operation],
        fed: Sequence[Tensor],
        memory: Mapping[Tensor, Any],
    ) -> _Prepared:
        """What gives the values at the cut, and then those of other elements."""
        try:
            others = [self._home.element(e) for e in elements]
            feeds = [self._home.element(t) for t in fed]
        except (KeyError, ValueError):
            # They are newer than the copy of the graph.
            self.forget()
            self._home.close()
            self._home = _Rounding(self._session, self._cut, self._encoding)
            others = [self._home.element(e) for e in elements]
            feeds = [self._home.element(t) for t in fed]
        home = self._home
        places = {
            copy: memory[tensor]
            for tensor, copy in zip(self._cut.tensors, home.tensors, strict=True)
            if tensor in memory
        }
        # Each element is fetched once, whatever it is wanted for.
        wanted = list(dict.fromkeys([*home.tensors, *others]))
        run: Callable[..., list[Any]] = home.session.make_callable(wanted, feeds, memory=places)
        positions = None
        if len(wanted) < len(home.tensors) + len(others):
            positions = [wanted.index(e) for e in (*home.tensors, *others)]
        return _Prepared(run, wanted, feeds, positions)

    def forget(self) -> None:
        """Lets go of all memories."""
        self._programs.clear()

    def close(self) -> None:
        """Forgets everything."""
        self.forget()
        self._home.close()


def _any_rows(tensor: Tensor) -> Any:
    """The shape of what is of one rank, where it is of all ranks: there are more rows."""
    return None if tensor.shape.ndims is None else [None, *tensor.shape.as_list()[1:]]


class ApplyMeans:
    """The second program, for what so many ranks have.

    The dense values come in the types of `encoding`, or as they are where it is None.
    """

    def __init__(
        self, session: Any, cut: Cut, ranks: int, encoding: GradientEncoding | None
    ) -> None:
        graph = Graph()
        feeds: list[Tensor] = []
        given: dict[str, Tensor] = {}
        definition = cut.train_op.graph.as_graph_def()
        with graph.as_default():
            with graph.name_scope(_unused_scope(definition, "averages")):
                for tensor in cut.dense:
                    dtype = tensor.dtype.base_dtype
                    sent = dtype if encoding is None else encoding.type_of(tensor)
                    parts = [placeholder(sent, tensor.shape) for _ in range(ranks)]
                    feeds += parts
                    given[tensor.name] = _mean([cast(part, dtype) for part in parts])
                rows = {tensor for pair in cut.sparse for tensor in pair}
                for tensor in cut.tensors[len(cut.dense) :]:
                    shape = _any_rows(tensor) if tensor in rows else tensor.shape
                    given[tensor.name] = placeholder(tensor.dtype.base_dtype, shape)
                    feeds.append(given[tensor.name])
            import_nodes(definition, given, name="", raises=False)
        self._session = SameState(session, graph)
        self._target, self._feeds = graph.get_operation_by_name(cut.train_op.name), feeds
        self._run = self._session.make_callable(self._target, feeds)

    def __call__(
        self, arrays: Sequence[Sequence[Any]], others: Sequence[Any], look: Look | None = None
    ) -> None:
        """Applies the average of what the ranks have: for each rank the dense values, and then
        all that has no average."""
        values = [*(part for one in zip(*arrays, strict=True) for part in one), *others]
        if look is not None:
            feed = dict(zip(self._feeds, values, strict=True))
            if look(self._session, [self._target], feed) is not None:
                return
        self._run(*values)

    def close(self) -> None:
        """Forgets it."""
        self._session.close()


def _mean(parts: Sequence[Tensor]) -> Tensor:
    """In the order of the ranks: all of them have the same bits."""
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    return multiply(total, 1 / len(parts)) if len(parts) > 1 else total


def _unused_scope(definition: Any, scope: str) -> str:
    """A name of a scope that no operation of a graph is in."""
    used = {node.name.split("/")[0] for node in definition.node}
    while scope in used:
        scope += "_"
    return scope
