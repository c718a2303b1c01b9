"""Runs in parts: every operation runs at most once over all parts."""

from __future__ import annotations

from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.feeds import flatten_feeds
from workbench.core.runtime.fetches import FetchPlan


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


class PartialRun:
    """One run in parts: remembers every value that was computed or fed."""

    def __init__(self, session: Any, fetches: Any, feeds: Any) -> None:
        self._session = session
        graph = session.graph
        if not FetchPlan(graph, fetches).elements:
            raise _invalid("Must specify at least one target to fetch or execute.")
        self._fetches = set(FetchPlan(graph, fetches).elements)
        self._feeds = {graph.as_graph_element(f, allow_operation=False) for f in feeds}
        self._values: dict[Tensor, Any] = {}
        self._done: set[Operation] = set()
        self._fetched: set[Any] = set()

    def run(self, fetches: Any, feed_dict: Any) -> Any:
        """One part. InvalidArgumentError for feeds and fetches that were not announced."""
        graph = self._session.graph
        plan = FetchPlan(graph, fetches)
        for element in plan.elements:
            if element not in self._fetches:
                raise _invalid(f"The fetch {element.name} was not specified in partial_run_setup.")
            if element in self._fetched:
                raise _invalid(f"The tensor {element.name} has already been fetched.")
        fed = flatten_feeds(graph, feed_dict or {})
        for tensor, _ in fed:
            if tensor not in self._feeds:
                raise _invalid(f"The feed {tensor.name} was not specified in partial_run_setup.")
            if tensor in self._values:
                raise _invalid(f"The tensor {tensor.name} has already been fed.")
        self._values.update(fed)
        order = needed_operations(plan.tensors, plan.targets, list(self._values))
        new = [op for op in order if op not in self._done]
        outputs = [
            t
            for op in new
            for t in op.outputs
            if not t.dtype._is_ref_dtype and t not in self._values
        ]
        wanted = [t for t in plan.tensors if t not in self._values and t not in outputs]
        targets = [op for op in new if not op.outputs or op.outputs[0].dtype._is_ref_dtype]
        found, _ = self._session.run([[*outputs, *wanted], targets], dict(self._values))
        self._values.update(zip([*outputs, *wanted], found, strict=True))
        self._done.update(new)
        self._fetched.update(plan.elements)
        return plan.results(tuple(self._values[t] for t in plan.tensors))
