"""The operations of gates between the steps of replicas that train together."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.ops.queues.held import Held, handle_of, held_resource
from workbench.core.sync.step_gates import Pass, StepGateMachine

_HANDLE = "handle: Ref(string)"


class StepGateResource(Held):
    """A gate of a session."""

    machine: StepGateMachine


def _make(*, container: str, shared_name: str, context: Any) -> StepGateResource:
    title = f"StepGate '{shared_name or context.name}'"
    return held_resource(
        context,
        StepGateResource,
        lambda: StepGateResource(StepGateMachine(title)),
        container,
        shared_name,
    )


def _open(handle: Any, step: Any, free: Any) -> None:
    gate = handle_of(handle, StepGateResource)
    gate.change(lambda: gate.machine.open(_int(step), _int(free)))


def _advance(handle: Any, step: Any) -> None:
    gate = handle_of(handle, StepGateResource)
    gate.change(lambda: gate.machine.advance(_int(step)))


def _pass(handle: Any, after: Any, *, context: Any) -> np.int64:
    gate = handle_of(handle, StepGateResource)
    return np.int64(gate.perform(Pass(_int(after)), context))


def _int(value: Any) -> int:
    return int(as_array(value).reshape(()))


declare(
    "StepGate",
    outputs=_HANDLE,
    attrs="container: string = '', shared_name: string = ''",
    shape=lambda op: [(2,)],
    kernel=_make,
    stateful=True,
)
declare(
    "StepGateOpen",
    inputs=f"{_HANDLE}, step: int64, free: int32",
    shape=shape_rules.no_outputs,
    kernel=_open,
    stateful=True,
)
declare(
    "StepGateAdvance",
    inputs=f"{_HANDLE}, step: int64",
    shape=shape_rules.no_outputs,
    kernel=_advance,
    stateful=True,
)
declare(
    "StepGatePass",
    inputs=f"{_HANDLE}, after: int64",
    outputs="step: int64",
    shape=shape_rules.scalar,
    kernel=_pass,
    stateful=True,
    blocking=True,
    frees_nobody=True,
)
