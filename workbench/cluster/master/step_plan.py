"""A step of a session, planned for a cluster: which task does what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.extract import extract_parts
from workbench.core.plan.partition.parts import Part
from workbench.core.plan.partition.stages import make_stages
from workbench.core.runtime.dataflow.choice import may_wait


@dataclass(frozen=True)
class StepPlan:
    """What to run where for some fetches and feeds."""

    parts: tuple[Part, ...]
    devices: dict[Operation, str]


def plan_step(
    order: Sequence[Operation],
    fetches: Sequence[Tensor],
    fed: Sequence[Tensor],
    devices: Mapping[Operation, str],
) -> StepPlan:
    """The plan of a step whose operations have their devices.

    `order` has what must run, each operation after what it needs.
    """
    stages, stage_of = make_stages(order, devices, fed, fetches, may_wait)
    return StepPlan(tuple(extract_parts(stages, stage_of, fed, fetches)), dict(devices))
