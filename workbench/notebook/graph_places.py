"""Where each operation of a graph runs, also those that ask for no device, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from workbench.core.errors import OpError
from workbench.core.graph.graph import Graph
from workbench.core.graph.nested import NestedGraph
from workbench.core.graph.operation import Operation
from workbench.core.plan.placement.colocation import Group, colocated
from workbench.core.plan.placement.devices import fitting, full_name
from workbench.core.plan.placement.noted import noted
from workbench.core.runtime.devices import local_devices
from workbench.live.registry import registry


class Places(NamedTuple):
    """For each operation of a nested graph, in its order, the device and the reason."""

    devices: Sequence[str]
    reasons: Sequence[str]


def places_of(nested: NestedGraph, graph: Graph) -> Places:
    """Where the operations of a graph run, as far as a session or a run has them; else where they
    would."""
    outer = nested.operations[: nested.outer_count]
    count = len(nested.operations)
    worker = _worker_of(graph)
    if worker is not None:
        return Places([worker] * count, ["the run is there as a whole"] * count)
    found = _by_rule(outer, graph)
    devices, reasons = list(found.devices), list(found.reasons)
    # What is in a body runs where the conditional or loop does.
    for place in range(nested.outer_count, count):
        body = nested.body(place)
        assert body is not None
        devices.append(devices[body.operation])
        reasons.append(f"in {nested.operations[body.operation].name}")
    return Places(devices, reasons)


def places_state(graph: Graph) -> tuple[Any, ...]:
    """Is another one when the places may be others."""
    known = noted(graph)
    return (0 if known is None else known.changes, _worker_of(graph))


def _worker_of(graph: Graph) -> str | None:
    """The worker of a pool, or the workers, that have a run of the graph as it is here."""
    for run in reversed(registry.runs()):
        place = getattr(run, "place", None)
        if place is None or not run.is_live or run._graph is not graph:
            continue
        replicas = [str(each["worker"]) for each in run.status().replicas]
        return f"each of {', '.join(replicas)}" if len(replicas) > 1 else str(place.name)
    return None


def _by_rule(order: Sequence[Operation], graph: Graph) -> Places:
    known = noted(graph)
    here = local_devices()[0].name
    if known is None:
        mentioned = dict.fromkeys(op._device for op in order if "/job:" in op._device)
        available = list(dict.fromkeys([here, *map(full_name, mentioned)]))
    else:
        available = list(known.devices)
    if len(available) == 1:
        return Places(available * len(order), ["the only device"] * len(order))
    chosen = {} if known is None else known.chosen
    try:
        groups = colocated(order)
    except OpError as error:
        # What contradicts itself runs nowhere; it is said when it is run.
        return Places([op._device or available[0] for op in order], [error.message] * len(order))
    found: dict[Operation, tuple[str, str]] = {}
    for group in groups:
        fitted = fitting(available, group.wanted)
        for op in group.members:
            device = chosen.get(op.name) or (fitted[0] if fitted else group.wanted)
            found[op] = device, _reason(op, group, device == available[0], bool(fitted))
    return Places([found[op][0] for op in order], [found[op][1] for op in order])


def _reason(op: Operation, group: Group, is_default: bool, is_there: bool) -> str:
    if not is_there:
        return f"pinned to {group.wanted}, which no device is"
    if group.wanted:
        own = op._device and (group.who is op or op._device == group.wanted)
        return f"pinned to {group.wanted}" if own else f"with {group.who.name}"
    first = group.members[0]
    if op is not first:
        return f"with {first.name}"
    return "default device" if is_default else "chosen by the session"
