"""A step that no thread waits for: whoever brings what it lacks takes it on from there.

That may be a thread that receives: no other one is woken for what takes little time. What takes
longer is done in threads of the task. What does nothing but wait takes none: it stops, and whoever
ends the wait, with a step of another session for one, has it go on.
"""

from __future__ import annotations

import collections
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.cluster.execution.enclosed import Enclosed
from workbench.cluster.execution.part_run import Instruction, RunStage, SendValues
from workbench.cluster.execution.put_off import catching_up, put_off
from workbench.cluster.execution.registered_part import RegisteredPart
from workbench.cluster.execution.step import Event, Step, Surroundings
from workbench.core.errors import CancelledError
from workbench.core.sync.replays import Replay, Stopped
from workbench.core.sync.scope import entered


class DrivenStep(Step):
    """`ended` is called once, with what the user gets of the step, or its error.

    Args:
      leader: the task that waits for the answer, where it takes values with it.
    """

    def __init__(
        self,
        session: str,
        number: int,
        registered: RegisteredPart,
        surroundings: Surroundings,
        traces: list[bytes] | None,
        ended: Callable[[DrivenStep, dict[str, Any] | BaseException], None],
        leader: str | None = None,
    ) -> None:
        super().__init__(session, number, registered, surroundings, None, traces)
        self._leader = leader
        #: What goes to the leader with the answer.
        self.enclosed: Enclosed | None = None
        self._ended = ended
        self._events: collections.deque[Event] = collections.deque()
        #: One thread at a time has the step.
        self._driving = threading.Lock()
        self._is_over = False
        #: The stages that wait, by their numbers.
        self._stopped: dict[int, tuple[RunStage, Replay]] = {}

    def hold(self, early: Sequence[tuple[list[tuple[str, Any]], int | None]]) -> None:
        """What came before it begins."""
        for values, ended in early:
            self._events.append(functools.partial(self._run.arrived, values, ended))

    def begin(self, feeds: Mapping[str, Any]) -> None:
        """Begins it, with what the user feeds."""
        self._post(functools.partial(self._run.begin, feeds))

    def _runs_here(self, instruction: RunStage) -> bool:
        stage, surroundings = instruction.stage, self._surroundings
        if stage.may_wait:
            return surroundings.is_own_thread() and stage.number in self._registered.tables.alone
        pace = self._registered.pace(stage)
        return surroundings.is_own_thread() or (
            pace.is_quick and surroundings.receives.step_back(pace.seconds)
        )

    def _may_stop(self, instruction: RunStage) -> bool:
        # What is recorded of a stage is of one run of it.
        return self._traces is None and self._registered.only_waits(instruction.stage)

    def _run_on(self, instruction: RunStage) -> list[Instruction]:
        again = functools.partial(self._again, instruction.stage.number)
        # In the thread that ends the wait, as soon as that has nothing locked.
        work = functools.partial(self._post, again)
        soon = self._surroundings.receives.soon
        return self._attempt(instruction, Replay(lambda: put_off(work, soon)))

    def _attempt(self, instruction: RunStage, replay: Replay) -> list[Instruction]:
        try:
            with replay.entered():
                return self._run_stage(instruction)
        except Stopped:
            self._stopped[instruction.stage.number] = instruction, replay
            return []

    def _again(self, number: int) -> list[Instruction]:
        """A stage that has stopped need not wait any more."""
        stopped = self._stopped.pop(number, None)
        return self._attempt(*stopped) if stopped is not None else []

    def _encloses(self, instruction: SendValues) -> bool:
        # What is recorded of a sending, and how it is encoded, is the business of a sending.
        names = [name for name, _ in instruction.values]
        fits = instruction.task == self._leader and self._traces is None
        if not fits or self.encodings(names):
            return False
        self.enclosed = Enclosed(instruction.values, instruction.ended)
        return True

    def _post(self, event: Event) -> None:
        self._events.append(event)
        with catching_up():
            # Who has the step looks again when it has let go of it: nothing is left behind.
            while self._events and self._driving.acquire(blocking=False):
                try:
                    with entered(self._scope):
                        while self._events:
                            self._take(self._events.popleft())
                finally:
                    self._driving.release()

    def _take(self, event: Event) -> None:
        if self._is_over:
            return
        outcome: dict[str, Any] | BaseException | None
        if isinstance(event, BaseException):
            outcome = event
        else:
            try:
                outcome = self._perform(event())
            except BaseException as error:
                outcome = self._reason(error)
        if outcome is not None:
            self._is_over = True
            for _, replay in self._stopped.values():
                replay.give_up()
            self._stopped.clear()
            if isinstance(outcome, BaseException):
                # Other stages may wait in threads, for what is for others now.
                self._scope.cancel()
            self._scope.end()
            self._ended(self, outcome)

    def _reason(self, error: BaseException) -> BaseException:
        """What ended it says more than what that ended."""
        if isinstance(error, CancelledError):
            return next((e for e in list(self._events) if isinstance(e, BaseException)), error)
        return error
