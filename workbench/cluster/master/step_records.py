"""What users are told of a step: its parts, and what each device did when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.core.plan.partition.parts import Part
from workbench.core.plan.partition.shown import shown_graph


def add_graphs(run_metadata: Any, parts: Sequence[Part], devices: Mapping[str, str]) -> None:
    """Adds the graph of each task's part to a `RunMetadata`."""
    for part in parts:
        run_metadata.partition_graphs.add().CopyFrom(shown_graph(part, devices))


def add_traces(run_metadata: Any, traces: Iterable[bytes]) -> None:
    """Adds `StepStats` of tasks and stages to a `RunMetadata`: one entry for each device."""
    from workbench.core.protos import StepStats

    known = {entry.device: entry for entry in run_metadata.step_stats.dev_stats}
    for trace in traces:
        for entry in StepStats.FromString(trace).dev_stats:
            if entry.device not in known:
                known[entry.device] = run_metadata.step_stats.dev_stats.add(device=entry.device)
            known[entry.device].node_stats.extend(entry.node_stats)
