"""A compiled region run in parts: timed record by record, with a look at values in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.codegen.driver import run
from workbench.core.fusion.places import Kind, Place
from workbench.core.graph.dtypes import as_dtype
from workbench.core.plan.node import Node
from workbench.core.runtime.region import CompiledRegion, Instance
from workbench.core.runtime.region_values import RegionValues, Sight

#: Called with a node and its results, which are computed when they are asked for.
Look = Callable[[Node, "Results"], None]


class Results(Sequence[Any]):
    """The results of a node while its region stands still."""

    def __init__(self, node: Node, values: RegionValues, view: Any, known: dict[Any, Any]) -> None:
        self._node = node
        self._values = values
        self._view = view
        self._known = known

    def __len__(self) -> int:
        return len(self._node.dtypes)

    def __getitem__(self, index: Any) -> Any:
        return self._values.read(self._node.output(index), self._view, self._known)


class ProbedRegion:
    """Runs a region as it runs unobserved, with the same kernels in the same memory.

    Args:
      region: the region; the plain program runs it too.
      look: called with what is looked at, between two records.
    """

    def __init__(self, region: CompiledRegion, look: Look) -> None:
        self._region = region
        self._look = look
        self.values = RegionValues(region.program)
        # Memory to look into is made now, and not in the middle of a step.
        region.give_back(region.take())
        #: The nodes that are timed.
        self.nodes, self._shares = self.values.shares()
        self._kernels = region.program.kernels
        self._durations = np.zeros(len(region.program.records))
        #: What is looked at after so many records.
        self._stops: dict[int, list[Node]] = {}
        #: Whether the kernels did the last run; else the interpreter did.
        self.is_timed = False
        #: When the last run ended.
        self.ended = 0.0

    def look_at(self, node: Node, sight: Sight) -> None:
        """Looks at a node from the next run on."""
        nodes = self._stops.setdefault(sight.stop, [])
        if node not in nodes:
            nodes.append(node)

    def look_no_more(self, node: Node, sight: Sight) -> None:
        """Looks at a node no more."""
        nodes = self._stops.get(sight.stop, [])
        if node in nodes:
            nodes.remove(node)
        if not nodes:
            self._stops.pop(sight.stop, None)

    def clear(self) -> None:
        """Looks at nothing any more."""
        self._stops.clear()

    def seconds(self) -> np.ndarray[Any, Any]:
        """How long each of `nodes` took in the last run, if that was timed."""
        kernels = [self._durations[k.first : k.last].sum() for k in self._kernels]
        found: np.ndarray[Any, Any] = self._shares @ np.array(kernels)
        return found

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        """One run, from the values to the outputs."""
        try:
            return self._look_on(values) if self._stops else self._measure(values)
        finally:
            self.ended = time.perf_counter()

    def _measure(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """A run as it is unobserved, but for the time of each record."""
        region = self._region
        table = region.instance.table
        table.measure(True)
        try:
            results = region.call(*values)
        finally:
            table.measure(False)
        self.is_timed = results is not NotImplemented and results is not Ellipsis
        if not self.is_timed:
            return region.slowly(*values)
        self._durations[:] = table.durations()
        given: tuple[Any, ...] = results
        return given

    def _look_on(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """A run in parts."""
        region = self._region
        instance = region.take()
        try:
            with region.held():
                arrays = region.bind(instance, values)
                self.is_timed = arrays is not None and self._run(instance, arrays)
                if arrays is not None and self.is_timed:
                    return region.finish(arrays)
            return region.fallback(*values)
        finally:
            region.give_back(instance)

    def _run(self, instance: Instance, arrays: Sequence[np.ndarray[Any, Any]]) -> bool:
        table = instance.table
        table.measure(True)
        try:
            done = 0
            for stop in sorted(self._stops):
                if stop > done and not self._part(instance, done, stop):
                    return False
                done = max(done, stop)
                self._look_around(instance, arrays, self._stops[stop])
            return done == len(table) or self._part(instance, done, len(table))
        finally:
            table.measure(False)

    def _part(self, instance: Instance, first: int, last: int) -> bool:
        if not run(instance.table, first, last):
            return False
        self._durations[first:last] = instance.table.durations(first, last)
        return True

    def _look_around(
        self, instance: Instance, arrays: Sequence[np.ndarray[Any, Any]], nodes: Sequence[Node]
    ) -> None:
        program = self._region.program

        def view(place: Place) -> np.ndarray[Any, Any]:
            storage = place.storage
            start = 0
            if storage.kind is Kind.ARENA:
                memory: Any = instance.arena
                start = program.offsets[storage]
            elif storage.kind is Kind.CONSTANT:
                memory = storage.array
            else:
                memory = arrays[storage.argument]
            dtype = np.dtype(as_dtype(place.dtype).as_numpy_dtype)
            strides = tuple(s * dtype.itemsize for s in place.strides)
            octets = memory.reshape(-1).view(np.uint8)
            return np.ndarray(place.shape, dtype, octets, start + place.byte_offset, strides)

        known: dict[Any, Any] = {}
        for node in nodes:
            self._look(node, Results(node, self.values, view, known))
