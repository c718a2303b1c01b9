"""Runs in parts: every operation runs at most once over all parts."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.feeds import flatten_feeds
from workbench.core.runtime.fetches import FetchPlan


class PartialRun:
    """One run in parts: remembers every value that was computed or fed."""

    def __init__(self, session: Any, fetches: Any, feeds: Any) -> None:
        self._session = session
        graph = session.graph
        self._fetches = set(FetchPlan(graph, fetches).elements)
        self._feeds = {graph.as_graph_element(f, allow_operation=False) for f in feeds}
        self._values: dict[Tensor, Any] = {}
        self._done: set[Operation] = set()

    def run(self, fetches: Any, feed_dict: Any) -> Any:
        """One part. ValueError for feeds and fetches that were not announced."""
        graph = self._session.graph
        plan = FetchPlan(graph, fetches)
        unknown = [e.name for e in plan.elements if e not in self._fetches]
        if unknown:
            raise ValueError(f"Not in the fetches of partial_run_setup: {', '.join(unknown)}")
        for tensor, value in flatten_feeds(graph, feed_dict or {}):
            if tensor not in self._feeds:
                raise ValueError(f"Not in the feeds of partial_run_setup: {tensor.name}")
            if tensor in self._values:
                raise ValueError(f"{tensor.name} was fed or computed already")
            self._values[tensor] = value
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
        return plan.results(tuple(self._values[t] for t in plan.tensors))
