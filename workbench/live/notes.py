"""What observed steps tell of the operations, number by number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from workbench.core.graph.graph import Graph
from workbench.core.runtime.probe import work_clock
from workbench.live.channels import Channels
from workbench.live.observed_program import ObservedProgram
from workbench.live.observed_step import Steps
from workbench.live.statistics import statistics
from workbench.live.targets import Target


class Notes:
    """The channels of the operations of a graph, and of those in its bodies."""

    def __init__(self, graph: Graph, steps: Steps) -> None:
        self._graph = graph
        self._steps = steps
        self._channels = Channels()
        self._inside = Channels()

    def copies(self, names: Sequence[str]) -> tuple[Any, Any]:
        """What channels have now, of the operations and of those in bodies."""
        return self._channels.copies(names), self._inside.copies(names)

    def unseen(self) -> dict[str, int]:
        """The places of the operations, by name, of which no observed step has told."""
        calls = self._channels.copies(["calls"])["calls"]
        listed = enumerate(self._graph.get_operations())
        return {op.name: n for n, op in listed if n >= calls.size or np.isnan(calls[n])}

    def describe(self, program: ObservedProgram) -> None:
        """Notes what the plan says of the operations."""
        self._channels.grow(self._graph.version)
        self._inside.grow(len(self._steps.inside.operations))
        self._channels.put("calls", program.operations, program.calls)
        self._inside.put("calls", program.inside, program.inside_calls)
        program.is_described = True
        self._channels.put("memory", list(program.sizes), list(program.sizes.values()))

    def time(self, program: ObservedProgram, seconds: Any, inside: Any = None) -> None:
        """Notes how long the operations took, and those in bodies."""
        self._channels.time(program.operations, seconds)
        if inside is not None:
            self._inside.time(program.inside, inside)

    def note_ways(self, program: ObservedProgram) -> None:
        """Notes what the last run did in loops and conditionals."""
        for channel, operation, value in program.ways():
            number = self._steps.inside.number(operation)
            if number is not None:
                self._inside.grow(number + 1)
                self._inside.put(channel, [number], value)
            elif operation.graph is self._graph:
                self._channels.put(channel, [operation._id - 1], value)

    def measuring(self, target: Target) -> Callable[[Any], None]:
        """What looks at the value of a target, and notes what that cost."""

        def measure(value: Any) -> None:
            began = work_clock()
            if not target.has_known_size:
                size = getattr(value, "nbytes", np.nan)
                self._channels.put("memory", target.operations, size)
            # Values of kinds that only users' own kernels give must not stop a run.
            with suppress(TypeError, ValueError):
                found = statistics(value)
                if found is not None:
                    self._channels.describe(target.operations, found)
            spent = work_clock() - began
            target.cost += 0.3 * (spent - target.cost)
            target.seen = True

        return measure
