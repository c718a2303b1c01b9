"""The constants of the model, from what was measured."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import fields, replace

from tests.bench.simulation.inputs import CROWDED, SIZE, Inputs
from workbench.cluster.simulation.costs import (
    Costs,
    Crowd,
    ReplicaCosts,
    Together,
    TrainingCosts,
    Wire,
    always,
)
from workbench.cluster.simulation.processors import Machine, Turn, Work
from workbench.cluster.simulation.reductions import WAITS, bytes_through_memory
from workbench.cluster.simulation.trainings import asynchronous as asynchronous_rate

#: Linux's `sched_migration_cost_ns` as it is where nobody has set it, in seconds. Processes with a
#: real-time priority go to an idle processor at once.
HOT = 5e-4
#: The step is simulated with this for waking up, to see how often in a step that is.
_SOME = 1e-5
#: How long a thread waits for a processor at most in a crowd, and how exactly that is looked for,
#: in seconds; in trainings of so many updates.
_LONGEST, _EXACTLY, _UPDATES = 1e-3, 2e-6, 2000


def compute_seconds(inputs: Inputs) -> float:
    """The seconds of a gradient."""
    whole, hollow = (inputs.of("alone", kind).worker for kind in ("whole", "hollow"))
    return max(whole - hollow, 0.0)


def machine(inputs: Inputs) -> Machine:
    """This machine."""
    together = inputs.of("alone", "whole", 2).worker / inputs.of("alone", "whole").worker
    slices = statistics.median(inputs.slices)
    hot = HOT if inputs.is_ordinary else 0.0
    return Machine(os.cpu_count(), slices, max(together, 1.0), hot)


def turn(inputs: Inputs, way: str, name: str) -> Turn:
    """A part of a step: its Python without numbers, and what it takes more with them."""
    hollow, pushed = (inputs.part(way, kind, name) for kind in ("hollow", "pushed"))
    byte = max(pushed.before + pushed.after - hollow.before - hollow.after, 0.0) / SIZE
    return Turn(Work(hollow.before, byte), hollow.after)


def wake_seconds(inputs: Inputs) -> float:
    """Until a thread runs that slept: what is left of a step whose parts all follow each other."""
    seen = inputs.of("asynchronous", "hollow")
    costs = replace(
        _of_one(inputs, "asynchronous", 0.0),
        compute=always(seen.idle), size=0.0, unequal=0.0,
    )  # fmt: skip
    least, more = (1 / asynchronous_rate(replace(costs, wake=w), 1) for w in (0.0, _SOME))
    return max((1 / seen.rate - least) * _SOME / (more - least), 0.0)


def crowd(inputs: Inputs, wake: float) -> Crowd:
    """What is different with more processes than processors, where workers compute nothing: how
    much more processor time they take, and how long threads wait for one, so that the model is as
    fast as they are."""
    one, seen = inputs.of("asynchronous", "pushed"), inputs.seen(CROWDED)
    times = max((seen.worker + seen.server) / (one.worker + one.server), 1.0)
    costs = replace(_of_one(inputs, "asynchronous", wake), compute=always(seen.idle), unequal=0.0)

    def is_faster(waited: float) -> bool:
        here = replace(costs, crowd=Crowd(waited, times))
        return asynchronous_rate(here, CROWDED.workers, _UPDATES) > seen.rate

    low, high = wake, _LONGEST
    while high - low > _EXACTLY:
        middle = (low + high) / 2
        low, high = (middle, high) if is_faster(middle) else (low, middle)
    return Crowd(low, times)


def asynchronous(inputs: Inputs) -> TrainingCosts:
    """The constants of a training whose workers go on each by itself."""
    return parameter_server(inputs, "asynchronous")


def parameter_server(inputs: Inputs, way: str) -> TrainingCosts:
    """The constants of a training with a parameter server."""
    wake = wake_seconds(inputs)
    return replace(_of_one(inputs, way, wake), crowd=crowd(inputs, wake))


def _of_one(inputs: Inputs, way: str, wake: float) -> TrainingCosts:
    """As they are with one worker."""
    return TrainingCosts(
        always(compute_seconds(inputs)),
        size=SIZE,
        machine=machine(inputs),
        is_shared=True,
        wake=wake,
        unequal=statistics.median(inputs.unequal),
        ask=turn(inputs, way, "ask"),
        # A message that a worker takes itself, not its chief.
        hear=turn(inputs, "asynchronous", "hear"),
        give=turn(inputs, way, "give"),
        send=turn(inputs, way, "send"),
        take=turn(inputs, way, "take"),
    )


def synchronous(inputs: Inputs) -> TrainingCosts:
    """The constants of one whose workers train in step."""
    way = "synchronous"
    names = ("note", "finish", "chief_ask", "begin", "apply", "let")
    together = Together(
        **{name: turn(inputs, way, name) for name in names}, chief_hear=turn(inputs, way, "hear")
    )
    return replace(parameter_server(inputs, way), together=together)


def all_reduce(inputs: Inputs) -> ReplicaCosts:
    """The constants of replicas that add up their gradients."""
    hollow, pushed = (inputs.of("all-reduce", kind, 2) for kind in ("hollow", "pushed"))
    here = machine(inputs)
    apply = max(inputs.of("alone", "pushed").worker - inputs.of("alone", "hollow").worker, 0.0)
    waited = 2 / hollow.rate - hollow.worker
    # Both replicas were at it together.
    copied = max((pushed.worker - hollow.worker) / here.together - apply, 0.0)
    return ReplicaCosts(
        always(compute_seconds(inputs)),
        size=SIZE,
        wire=Wire(max(waited, 0.0) / WAITS, copied / bytes_through_memory(SIZE, 2)),
        machine=here,
        is_shared=True,
        python=hollow.worker / here.together,
        apply=apply,
    )


def turns(costs: Costs) -> dict[str, Turn]:
    """What threads do, by what they do it for."""
    found: dict[str, Turn] = {}
    if isinstance(costs, TrainingCosts):
        for each in (costs, costs.together):
            values = {field.name: getattr(each, field.name) for field in fields(each)}
            found |= {n: v for n, v in values.items() if v and isinstance(v, Turn)}
    return {name: turn for name, turn in found.items() if turn != Turn()}


CONSTANTS: dict[str, Callable[[Inputs], Costs]] = {
    "asynchronous": asynchronous,
    "synchronous": synchronous,
    "all-reduce": all_reduce,
}
