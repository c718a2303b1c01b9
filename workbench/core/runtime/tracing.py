"""Traced runs: the time and bytes of every operation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.core.plan.node import Node, Value
from workbench.core.runtime.devices import local_devices
from workbench.core.runtime.failures import program_error
from workbench.core.sync.scope import Scope, current, deadline, entered

_NO_TRACE = 0
#: Where sessions of this process run what is pinned to none of its devices.
_FIRST_DEVICE = local_devices()[0].name


def traced_run(
    session: Any, signature: Any, feed_dict: Any, options: Any, run_metadata: Any
) -> Any:
    """Runs as `Session.run`, and writes what was asked for into `run_metadata`."""
    level = getattr(options, "trace_level", _NO_TRACE) if options is not None else _NO_TRACE
    if run_metadata is not None:
        # It tells of this run alone, also where it has told of another one.
        run_metadata.Clear()
    if session._elsewhere is not None:
        return _run_elsewhere(session, signature, feed_dict, options, run_metadata)
    if run_metadata is not None and getattr(options, "output_partition_graphs", False):
        _write_graph(session.graph, signature, run_metadata)
    program, values = signature.prepare(feed_dict)
    if level == _NO_TRACE or run_metadata is None:
        return session._run(signature, feed_dict)
    recorder = _Recorder()
    shapes = [v.shape for v in values]
    observed = session._programs.program(signature.plan, signature.fed, shapes, _observe, "trace")
    scope = Scope(outer=current())
    _recorders[scope] = recorder
    try:
        recorder.start()
        with entered(scope), np.errstate(all="ignore"):
            results = observed.run(*values)
    except Exception as error:
        failure = program_error(observed, error)
        if failure is None:
            raise
        raise failure from None
    finally:
        del _recorders[scope]
        scope.end()
    devices = session._devices(signature.plan, signature.fed)
    recorder.write(run_metadata, {op.name: device for op, device in devices.items()})
    return signature.results(results)


def _run_elsewhere(
    session: Any, signature: Any, feed_dict: Any, options: Any, run_metadata: Any
) -> Any:
    program, values = signature.prepare(feed_dict)
    with deadline(session._run_seconds):
        results = program.run(*values, options=options, run_metadata=run_metadata)
    return signature.results(results)


def _write_graph(graph: Any, signature: Any, run_metadata: Any) -> None:
    """Adds what the fetches need of a graph: all of it runs here, so there is one part."""
    from workbench.core.graph.graph_util import extract_sub_graph

    names = [getattr(element, "op", element).name for element in signature.plan.elements]
    needed = extract_sub_graph(graph.as_graph_def(), names)
    run_metadata.partition_graphs.add().CopyFrom(needed)


def _observe(node: Node, values: tuple[Any, ...]) -> None:
    """Hands a step of a traced program to the recorder of its run.

    Runs of several threads share the program; the scope, which is that of the run in each of the
    threads that work for it, tells which run it is.
    """
    scope = current()
    while scope is not None and scope not in _recorders:
        scope = scope.outer
    if scope is not None:
        _recorders[scope].observe(node, values)


class _Recorder:
    """The steps of one run: when each ended and what it made."""

    def __init__(self) -> None:
        self._steps: list[tuple[Node, int, int, list[tuple[tuple[int, ...], int]]]] = []
        self._last = 0
        self._offset = 0

    def start(self) -> None:
        self._last = time.perf_counter_ns()
        self._offset = time.time_ns() - self._last

    def observe(self, node: Node, values: tuple[Any, ...]) -> None:
        now = time.perf_counter_ns()
        made = [(np.shape(v), int(getattr(v, "nbytes", 0))) for v in values]
        self._steps.append((node, self._last, now, made))
        self._last = time.perf_counter_ns()

    def write(self, run_metadata: Any, devices: Mapping[str, str]) -> None:
        """Fills a RunMetadata protocol buffer; `devices` are those of operations, by their names.

        What is of no operation is told of as of the first device.
        """
        entries: dict[str, Any] = {}
        for name in (_FIRST_DEVICE, *sorted(set(devices.values()))):
            if name not in entries:
                entries[name] = run_metadata.step_stats.dev_stats.add(device=name)
        for node, began, ended, made in self._steps:
            stats = entries[devices.get(node.name, _FIRST_DEVICE)].node_stats.add()
            stats.node_name = node.name
            inputs = ", ".join(_reference(value) for value in node.inputs)
            stats.timeline_label = f"{node.name} = {node.type}({inputs})"
            start = (began + self._offset) // 1000
            stats.all_start_micros = start
            stats.op_start_rel_micros = 0
            stats.op_end_rel_micros = (ended - began) // 1000
            stats.all_end_rel_micros = max(1, (ended - began) // 1000)
            for index, (shape, size) in enumerate(made):
                output = stats.output.add()
                output.slot = index
                description = output.tensor_description
                description.dtype = node.dtypes[index].as_datatype_enum
                for length in shape:
                    description.shape.dim.add().size = length
                description.allocation_description.requested_bytes = size
                description.allocation_description.allocator_name = "cpu"
            if made:
                memory = stats.memory.add()
                memory.allocator_name = "cpu"
                memory.total_bytes = sum(size for _, size in made)


def _reference(value: Value) -> str:
    """An input as GraphDefs name it."""
    return f"{value.node.name}:{value.index}" if value.index else value.node.name


#: What records each traced run, by its scope.
_recorders: dict[Scope, _Recorder] = {}
