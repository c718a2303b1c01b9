"""Traced steps as Chrome traces, for chrome://tracing and Perfetto."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

#: "name = Type(input, input:1, ^control)"; the inputs may be missing.
_LABEL = re.compile(r"(?P<name>\S+) = (?P<type>[^(\s]+)(?:\((?P<inputs>.*)\))?$")

_ALLOCATORS = 0


@dataclass
class _Step:
    """One operation of the step, where and when it ran."""

    name: str
    type: str
    inputs: list[str]
    process: int
    began: int
    duration: int
    lane: int = 0
    #: Allocator -> the bytes of the outputs.
    bytes: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        return self.began + self.duration

    def place(self, phase: str, category: str, time: int) -> dict[str, Any]:
        """The part that every event of this step has."""
        return {
            "ph": phase,
            "cat": category,
            "name": self.type,
            "pid": self.process,
            "tid": self.lane,
            "ts": time,
        }


class Timeline:
    """The trace of one step, from the `step_stats` of a `RunMetadata`.

    Operations that ran at the same time on one device stand in lanes of their own.

    >>> import workbench as tf
    >>> Timeline(tf.RunMetadata().step_stats).generate_chrome_trace_format()
    '{"traceEvents": []}'
    """

    def __init__(self, step_stats: Any, graph: Any = None) -> None:
        self._devices: list[str] = []
        self._steps: list[_Step] = []
        for number, device in enumerate(step_stats.dev_stats, start=_ALLOCATORS + 1):
            self._devices.append(device.device)
            steps = [_read(stats, number) for stats in device.node_stats]
            steps.sort(key=lambda step: step.began)
            _give_lanes(steps)
            self._steps += steps

    def generate_chrome_trace_format(
        self, show_dataflow: bool = True, show_memory: bool = False
    ) -> str:
        """The trace as JSON.

        `show_dataflow` draws arrows between operations in different lanes, `show_memory` counts the
        bytes of the tensors that are still needed.
        """
        events = list(self._names(show_memory))
        events += [self._run(step) for step in self._steps]
        if show_dataflow:
            events += self._arrows()
        if show_memory:
            events += self._memory()
        return json.dumps({"traceEvents": events}, indent=4 if events else None)

    def _names(self, show_memory: bool) -> Iterator[dict[str, Any]]:
        """The devices, and the allocators, by their process numbers."""
        rows = [(n, f"{name} Compute") for n, name in enumerate(self._devices, start=1)]
        if show_memory:
            rows.insert(0, (_ALLOCATORS, "Allocators"))
        for number, name in rows:
            yield {"name": "process_name", "ph": "M", "pid": number, "args": {"name": name}}

    def _run(self, step: _Step) -> dict[str, Any]:
        inputs = {f"input{number}": name for number, name in enumerate(step.inputs)}
        event = step.place("X", "Op", step.began)
        return event | {
            "dur": step.duration,
            "args": {"name": step.name, "op": step.type, **inputs},
        }

    def _producers(self) -> Iterator[tuple[_Step, _Step]]:
        """Each operation with the ones whose outputs it used."""
        by_name = {step.name: step for step in self._steps}
        for step in self._steps:
            for name in dict.fromkeys(_operation(each) for each in step.inputs):
                producer = by_name.get(name)
                if producer is not None and producer is not step:
                    yield producer, step

    def _arrows(self) -> Iterator[dict[str, Any]]:
        number = 0
        for producer, step in self._producers():
            if (producer.process, producer.lane) == (step.process, step.lane):
                continue
            for phase, end, time in (("s", producer, producer.ended), ("t", step, step.began)):
                event = end.place(phase, "DataFlow", time)
                yield event | {"name": producer.name, "id": number}
            number += 1

    def _memory(self) -> Iterator[dict[str, Any]]:
        """Bytes in use, from the start of their maker to the end of their last user."""
        last = {id(step): step.ended for step in self._steps}
        for producer, step in self._producers():
            last[id(producer)] = max(last[id(producer)], step.ended)
        changes: list[tuple[int, str, int]] = []
        for step in self._steps:
            for allocator, size in step.bytes.items():
                changes.append((step.began, allocator, size))
                changes.append((last[id(step)], allocator, -size))
        in_use: dict[str, int] = {}
        for time, allocator, change in sorted(changes):
            in_use[allocator] = in_use.get(allocator, 0) + change
            yield {
                "ph": "C",
                "cat": "Memory",
                "name": allocator,
                "pid": _ALLOCATORS,
                "tid": 0,
                "ts": time,
                "args": {allocator: in_use[allocator]},
            }


def _read(stats: Any, process: int) -> _Step:
    """What a NodeExecStats says."""
    label = _LABEL.search(stats.timeline_label)
    inputs = (label["inputs"] or "") if label else ""
    sizes: dict[str, int] = {}
    for output in stats.output:
        allocation = output.tensor_description.allocation_description
        if allocation.allocator_name:
            size = sizes.get(allocation.allocator_name, 0) + allocation.requested_bytes
            sizes[allocation.allocator_name] = size
    return _Step(
        name=stats.node_name,
        type=label["type"] if label else stats.node_name,
        inputs=[each for each in inputs.split(", ") if each],
        process=process,
        began=stats.all_start_micros,
        duration=max(1, stats.all_end_rel_micros),
        bytes=sizes,
    )


def _give_lanes(steps: list[_Step]) -> None:
    """The first lane that is free, for each of the steps in the order of their beginnings."""
    free_from: list[int] = []
    for step in steps:
        for lane, time in enumerate(free_from):
            if time <= step.began:
                step.lane = lane
                free_from[lane] = step.ended
                break
        else:
            step.lane = len(free_from)
            free_from.append(step.ended)


def _operation(name: str) -> str:
    """The operation of an input: "a:1" and "^a" are of "a"."""
    return name.removeprefix("^").partition(":")[0]
