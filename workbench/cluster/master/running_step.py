"""A step that runs: the parts of all tasks, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from workbench.cluster.execution.enclosed import opened
from workbench.cluster.execution.inbox import Inbox
from workbench.cluster.execution.task import Task
from workbench.cluster.master.limits import seconds_left
from workbench.cluster.master.tasks import RemoteTask, checked
from workbench.cluster.wire.message import Message
from workbench.core import errors
from workbench.core.plan.partition.parts import Part

#: The errors that follow from another one.
_FOLLOWING = (errors.CancelledError, errors.AbortedError)


@dataclass(frozen=True)
class RegisteredStep:
    """A step that the tasks know of."""

    handle: int
    own: Part | None
    others: tuple[Part, ...]


class RunningStep:
    """One run of a step, for the thread that waits for its end.

    Args:
      session: the session's name.
      step: what the tasks know of it.
      number: the run's number in the session.
      own, others: the tasks.
    """

    def __init__(
        self,
        session: str,
        step: RegisteredStep,
        number: int,
        own: Task,
        others: Mapping[str, RemoteTask],
    ) -> None:
        self._session, self._step, self._number = session, step, number
        self._own, self._others = own, others
        self._answers: dict[Future[Message], str] = {}
        #: The answers as they come; None when the step is lost.
        self._came: Inbox[Future[Message] | None] = Inbox(own.receives)
        #: Why it was ended from outside.
        self._lost: errors.OpError | None = None
        self._is_cancelled = False
        self._began = time.monotonic()
        #: The tasks whose parts have not ended.
        self._running = {part.task for part in (*step.others, *([step.own] if step.own else ()))}
        self._tasks = frozenset(self._running)
        #: Whether the own part failed because another one did, whose error says more.
        self._follows = False

    def run(
        self, oldest: int, feeds: Mapping[str, Any], traces: list[bytes] | None
    ) -> dict[str, Any]:
        """What the user gets of it; what is recorded of it goes to `traces`, where there is one."""
        step, seconds = self._step, seconds_left()
        traced = traces is not None
        leader = step.own.task if step.own is not None else None
        for part in step.others:
            given = {key: feeds[key] for key in part.feeds}
            answer = self._others[part.task].run(
                self._session, step.handle, self._number, oldest, given, seconds, traced, leader
            )
            self._answers[answer] = part.task
            answer.add_done_callback(self._answered)
        results: dict[str, Any] = {}
        failure: BaseException | None = self._lost
        if step.own is not None:
            given = {key: feeds[key] for key in step.own.feeds}
            try:
                results = self._own.run(
                    self._session, step.handle, self._number, oldest, given, seconds, traces
                )
            except errors.OpError as error:
                failure = error
                self.abort(str(error))
            self._running.discard(step.own.task)
        return self._collect(results, failure, traces)

    def _answered(self, answer: Future[Message]) -> None:
        self._running.discard(self._answers.get(answer, ""))
        self._came.put(answer)
        try:
            _, enclosed = opened(checked(answer.result(), ""))
        except Exception:
            # The own part may wait for what a task that failed does not send.
            if self._step.own is not None:
                self._follows = True
                error = errors.AbortedError(None, None, "Another task failed")
                self._own.abort(self._session, self._number, error)
        else:
            if enclosed is not None:
                self._own.deliver(self._session, self._number, enclosed.values, enclosed.ended)

    def _collect(
        self,
        results: dict[str, Any],
        failure: BaseException | None,
        traces: list[bytes] | None,
    ) -> dict[str, Any]:
        """The results of all tasks; the error that was first, where there was one."""
        pending = len(self._answers)
        while pending and self._lost is None:
            answer = self._came.get()
            if answer is None:
                break
            pending -= 1
            try:
                message = checked(answer.result(), self._answers[answer])
                found, _ = opened(message)
            except errors.OpError as error:
                if failure is None and pending:
                    self.abort(str(error))
                is_better = isinstance(failure, _FOLLOWING) and (
                    self._follows or not isinstance(error, _FOLLOWING)
                )
                if failure is None or is_better:
                    failure, self._follows = error, False
            else:
                results.update(found)
                if traces is not None:
                    traces.extend(message.blobs)
        failure = self._lost or failure
        if failure is not None and self._is_cancelled:
            raise errors.CancelledError(None, None, "The run was cancelled") from failure
        if failure is not None:
            raise failure
        return results

    def abort(self, reason: str) -> None:
        """Ends the step on all tasks."""
        if self._step.own is not None:
            error = errors.AbortedError(None, None, reason)
            self._own.abort(self._session, self._number, error)
        for part in self._step.others:
            self._others[part.task].abort(self._session, self._number, reason)

    def cancel(self) -> None:
        """Ends the step with CancelledError, for whoever asked for it wants it no more."""
        self._is_cancelled = True
        self.abort("The run was cancelled")

    def disconnected(self, sender: str, receiver: str, when: float) -> None:
        """A task had lost its connection with another one, which may wait for what was sent."""
        if sender in self._tasks and receiver in self._running and when >= self._began:
            text = f"{sender} lost its connection with {receiver} in step {self._number}"
            error = f"{text}, and what it had sent may be lost"
            self.lose(errors.UnavailableError(None, None, error))

    def lose(self, error: errors.OpError) -> None:
        """Ends the step also where tasks do not answer any more."""
        self._lost = error
        self._came.put(None)
        self.abort(error.message)
