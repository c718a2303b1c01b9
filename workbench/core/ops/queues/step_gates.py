"""`StepGate`: where replicas of a training wait for its next step."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.dtypes import int32, int64
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.casting import cast
from workbench.core.ops.creation import call, create
from workbench.core.ops.queues import step_gate_ops as step_gate_ops


class StepGate:
    """Lets replicas wait until a training is at another step than theirs.

    Args:
      shared_name: gates of one shared name are one gate of a session.
      name: the name of the operation.

    >>> import workbench as tf
    >>> from workbench.core.ops.queues.step_gates import StepGate
    >>> gate = StepGate()
    >>> with tf.Session() as session:
    ...     session.run(gate.open(3, free=1))
    ...     session.run(gate.wait(after=3)), session.run(gate.wait(after=2))
    ...     session.run(gate.advance(4))
    ...     session.run(gate.wait(after=3))
    (np.int64(3), np.int64(3))
    np.int64(4)
    """

    def __init__(self, shared_name: str | None = None, name: str = "step_gate") -> None:
        self._handle = call("StepGate", name, shared_name=shared_name)

    def open(self, step: Any, free: Any = 0, name: str | None = None) -> Operation:
        """An operation that begins at a step: it lets in all that wait, and the next `free`."""
        steps, frees = cast(step, int64), cast(free, int32)
        return create("StepGateOpen", name, handle=self._handle, step=steps, free=frees)

    def advance(self, step: Any, name: str | None = None) -> Operation:
        """An operation that says that the training is at a step now."""
        return create("StepGateAdvance", name, handle=self._handle, step=cast(step, int64))

    def wait(self, after: Any, name: str | None = None) -> Tensor:
        """The step, an int64 scalar, as soon as it is not `after`."""
        step: Tensor = call("StepGatePass", name, handle=self._handle, after=cast(after, int64))
        return step
