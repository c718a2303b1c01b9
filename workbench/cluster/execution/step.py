"""One step on a task: performs what `PartRun` instructs.

A step has a thread of its own where somebody waits for its end in one (`ThreadStep`). Else it goes
on in the threads that bring what it lacks (`workbench.cluster.execution.driven_step`).
"""

from __future__ import annotations

import functools
import queue
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from workbench.cluster.execution.inbox import Inbox, Receives
from workbench.cluster.execution.part_run import (
    Finished,
    Instruction,
    PartRun,
    RunStage,
    SendValues,
)
from workbench.cluster.execution.put_off import catching_up
from workbench.cluster.execution.registered_part import RegisteredPart
from workbench.cluster.execution.transfer_stats import transfer_stats
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.peers import Sent
from workbench.core.errors import CancelledError, DeadlineExceededError
from workbench.core.runtime.activity import COMPUTE, EXCHANGE, WAIT, span
from workbench.core.sync.scope import Scope, entered

#: How often a step that waits looks at its deadline, in seconds.
_LOOK_SECONDS = 1.0

#: What happened to a step: a function to call on `PartRun`, or the error that ends it.
Event = Callable[[], list[Instruction]] | BaseException


class Surroundings(Protocol):
    """What a step needs of its task."""

    receives: Receives

    def send(self, step: Step, instruction: SendValues) -> Sent:
        """Sends values to another task: what that took. UnavailableError where it is gone."""

    def start(self, work: Callable[[], None]) -> None:
        """Does something in another thread."""

    def is_own_thread(self) -> bool:
        """Whether this thread is one that `start` uses."""


class Step:
    """A step of a session that runs on this task."""

    def __init__(
        self,
        session: str,
        number: int,
        registered: RegisteredPart,
        surroundings: Surroundings,
        seconds: float | None = None,
        traces: list[bytes] | None = None,
    ) -> None:
        self.session = session
        self.number = number
        self._registered = registered
        self._surroundings = surroundings
        self._run = PartRun(registered.part, registered.tables)
        #: Where what is recorded of its stages goes.
        self._traces = traces
        self._scope = Scope(seconds)
        self._began = time.monotonic()

    def encodings(self, keys: list[str]) -> dict[str, Encoding]:
        """How values go to other tasks, by their tensors' names."""
        return self._registered.encodings.of(self.session, keys)

    def arrived(self, values: Iterable[tuple[str, Any]], ended: int | None) -> None:
        """Values came from another task."""
        self._post(functools.partial(self._run.arrived, values, ended))

    def abort(self, error: BaseException) -> None:
        """Ends the step, also where it waits, with an error."""
        self._post(error)
        self._scope.cancel()

    def _post(self, event: Event) -> None:
        raise NotImplementedError

    def _runs_here(self, instruction: RunStage) -> bool:
        """Whether this thread, which has the step, runs a stage itself."""
        raise NotImplementedError

    def _may_stop(self, instruction: RunStage) -> bool:
        """Whether a stage is run where it need not wait, and needs no thread to wait in."""
        return False

    def _run_on(self, instruction: RunStage) -> list[Instruction]:
        """Runs such a stage, as far as it need not wait."""
        raise NotImplementedError

    def _encloses(self, instruction: SendValues) -> bool:
        """Whether the last values that a part gives go with the answer, for which they are kept."""
        return False

    @property
    def awaited(self) -> str:
        """What it lacks from other tasks, in words; "" where it lacks nothing."""
        keys, ends = self._run.missing()
        wanted = [*keys, *(f"the end of stage {n}" for n in ends)]
        return ", ".join(wanted[:5]) + (" and more" if len(wanted) > 5 else "")

    @property
    def seconds(self) -> float:
        """For how long it runs."""
        return time.monotonic() - self._began

    def describe(self) -> str:
        """What it waits for, and for how long."""
        return (
            f"step {self.number} on {self._registered.part.task} waits for "
            f"{self.awaited or 'its stages'} since {self.seconds:.1f} s"
        )

    def _perform(self, instructions: list[Instruction]) -> dict[str, Any] | None:
        """Performs instructions, and those that follow from them; the results at the end."""
        while instructions:
            stages = []
            is_last = isinstance(instructions[-1], Finished)
            for instruction in instructions:
                if isinstance(instruction, SendValues):
                    if not (is_last and self._encloses(instruction)):
                        self._send(instruction)
                elif isinstance(instruction, RunStage):
                    stages.append(instruction)
                else:
                    return instruction.values
            # What waits must not keep this thread from what other stages are sent.
            here, instructions = None, []
            for stage in stages:
                if self._may_stop(stage):
                    instructions += self._run_on(stage)
                elif here is None and self._runs_here(stage):
                    here = stage
                else:
                    self._surroundings.start(functools.partial(self._run_beside, stage))
            if here is not None:
                instructions += self._run_stage(here)
        return None

    def _send(self, instruction: SendValues) -> None:
        began = time.time()
        with span(EXCHANGE, self.number):
            sent = self._surroundings.send(self, instruction)
        if self._traces is not None:
            device = self._registered.part.stages[0].device
            self._traces.append(transfer_stats(device, instruction, sent, began, time.time()))

    def _run_stage(self, instruction: RunStage) -> list[Instruction]:
        with span(COMPUTE, self.number):
            values = self._registered.run(instruction.stage, instruction.values, self._traces)
        return self._run.stage_ended(instruction.stage.number, values)

    def _run_beside(self, instruction: RunStage) -> None:
        """Runs a stage in another thread than the step's."""
        number = instruction.stage.number
        try:
            with catching_up(), entered(self._scope), span(COMPUTE, self.number):
                values = self._registered.run(instruction.stage, instruction.values, self._traces)
        except BaseException as error:
            self._post(error)
        else:
            self._post(functools.partial(self._run.stage_ended, number, values))


class ThreadStep(Step):
    """A step that the calling thread has."""

    def __init__(
        self,
        session: str,
        number: int,
        registered: RegisteredPart,
        surroundings: Surroundings,
        seconds: float | None = None,
        traces: list[bytes] | None = None,
    ) -> None:
        super().__init__(session, number, registered, surroundings, seconds, traces)
        self._events: Inbox[Event] = Inbox(surroundings.receives)

    def _post(self, event: Event) -> None:
        self._events.put(event)

    def _runs_here(self, instruction: RunStage) -> bool:
        stage = instruction.stage
        return not stage.may_wait or stage.number in self._registered.tables.alone

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Runs the step to its end; what the user gets of it."""
        with entered(self._scope):
            try:
                instructions = self._run.begin(feeds)
                while True:
                    results = self._perform(instructions)
                    if results is not None:
                        return results
                    instructions = self._next()
            except BaseException as error:
                # Other stages may wait in threads, for what is for others now.
                self._scope.cancel()
                if not isinstance(error, CancelledError):
                    raise
                # What ended it says more than what that ended.
                while not self._events.is_empty():
                    event = self._events.get()
                    if isinstance(event, BaseException):
                        raise event from None
                raise
            finally:
                self._scope.end()

    def _next(self) -> list[Instruction]:
        while True:
            deadline = self._scope.deadline
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise DeadlineExceededError(None, None, f"Timed out: {self.describe()}")
            try:
                with span(WAIT, self.number):
                    event = self._events.get(_LOOK_SECONDS if left is None else left)
            except queue.Empty:
                continue
            if isinstance(event, BaseException):
                raise event
            instructions = event()
            if instructions:
                return instructions
