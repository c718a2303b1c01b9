"""How replicas that train in step are let on to the next one."""

from __future__ import annotations

from typing import Any, Protocol

from workbench.core.ops import api
from workbench.core.ops.queues.queue_types import FIFOQueue
from workbench.core.ops.queues.step_gates import StepGate


class Turns(Protocol):
    """What replicas wait for between two steps. All are made on the device of the global step."""

    def begin(self, step: Any, count: int) -> Any:
        """An operation that lets so many replicas on, with a step that need not be over."""

    def next(self, step: Any) -> Any:
        """An operation that lets all replicas on to a step."""

    def wait(self, step: Any) -> Any:
        """The step to take, for a replica that has given its gradients for `step`."""


class Tokens:
    """A queue with a token for each gradient that a step takes, or replica that there is.

    A replica that gives several gradients for a step takes as many tokens.
    """

    def __init__(self, dtype: Any, per_step: int) -> None:
        self._per_step = per_step
        self._queue = FIFOQueue(
            -1, dtype, shapes=(), name="sync_token_q", shared_name="sync_token_q"
        )

    def begin(self, step: Any, count: int) -> Any:
        return self._queue.enqueue_many((api.fill([count], step),))

    def next(self, step: Any) -> Any:
        return self.begin(step, self._per_step)

    def wait(self, step: Any) -> Any:
        return self._queue.dequeue()


class Gate:
    """A gate that opens for all: for replicas that give one gradient for a step each.

    Nobody lacks a token that a replica took which was killed since, or two of which it took.
    """

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._gate = StepGate("sync_step_gate")

    def begin(self, step: Any, count: int) -> Any:
        return self._gate.open(step, count)

    def next(self, step: Any) -> Any:
        return self._gate.advance(step)

    def wait(self, step: Any) -> Any:
        return api.cast(self._gate.wait(step), self._dtype)
