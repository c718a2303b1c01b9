"""The master's side of a session: tells the tasks of its steps, runs them, collects the results."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from workbench.cluster.execution.task import Task
from workbench.cluster.master.limits import cancelling, seconds_left
from workbench.cluster.master.tasks import RemoteTask, checked
from workbench.cluster.wire.message import Message
from workbench.core import errors
from workbench.core.plan.partition.parts import Part

#: How long a task may take to take in its part of a step, in seconds.
_REGISTER_SECONDS = 120.0
#: The errors that follow from another one.
_FOLLOWING = (errors.CancelledError, errors.AbortedError)


@dataclass(frozen=True)
class _Registered:
    """A step that the tasks know of: what each is fed."""

    own: Part | None
    others: tuple[Part, ...]


class MasterSession:
    """A session on the tasks of a cluster, led by one of them.

    Args:
      config: its `ConfigProto`, or None.
      own: the task of this process.
      others: the other tasks by name.
      devices: the devices of all tasks by their full names, the default one first.
      register: the sessions that are led here by name; it is in there until it is closed.
    """

    def __init__(
        self,
        config: Any,
        own: Task,
        others: Mapping[str, RemoteTask],
        devices: Sequence[str],
        register: dict[str, MasterSession],
    ) -> None:
        self._config = config
        self._own = own
        self._others = others
        self.devices = list(devices)
        self.name = f"{own.name}-{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._active: dict[int, _Registered] = {}
        self._handles = itertools.count(1)
        self._steps: dict[int, _Registered] = {}
        self._opened: set[str] = set()
        self._is_closed = False
        own.open_session(self.name, config)
        self._register = register
        register[self.name] = self

    # -- preparation -------------------------------------------------------------------------

    def register(self, parts: Sequence[Part]) -> int:
        """Tells the tasks of a step; the number that it is run by."""
        handle = next(self._handles)
        answers: list[tuple[str, Future[Message]]] = []
        others = tuple(p for p in parts if p.task != self._own.name)
        for part in others:
            task = self._task(part.task)
            with self._lock:
                is_new = part.task not in self._opened
                self._opened.add(part.task)
            if is_new:
                config = self._config.SerializeToString() if self._config is not None else b""
                answers.append((part.task, task.open_session(self.name, config)))
            answers.append((part.task, task.register(self.name, handle, part)))
        own = next((p for p in parts if p.task == self._own.name), None)
        if own is not None:
            self._own.register(self.name, handle, own)
        deadline = time.monotonic() + _REGISTER_SECONDS
        for name, answer in answers:
            _await(answer, name, deadline)
        self._steps[handle] = _Registered(own, others)
        return handle

    def _task(self, name: str) -> RemoteTask:
        try:
            return self._others[name]
        except KeyError:
            raise errors.InvalidArgumentError(
                None, None, f"There is no task {name} in the cluster"
            ) from None

    # -- running -----------------------------------------------------------------------------

    def run(self, handle: int, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Runs a step; what the user gets of it, by the tensors' names.

        It ends with the scope of the calling thread: at its deadline, or when it is cancelled.
        """
        step = self._steps.get(handle)
        if step is None:
            raise errors.InvalidArgumentError(None, None, f"There is no step {handle!r}")
        with self._lock:
            if self._is_closed:
                raise errors.CancelledError(None, None, "Session has been closed.")
            number = next(self._numbers)
            self._active[number] = step
            oldest = min(self._active)
        try:
            with cancelling(lambda: self._abort(step, number, "The run was cancelled")):
                return self._run_parts(step, handle, number, oldest, feeds, seconds_left())
        except BaseException:
            # Whatever it was, an interrupt by the user too: nobody goes on with the step.
            self._abort(step, number, "The step was ended")
            raise
        finally:
            with self._lock:
                del self._active[number]

    def _run_parts(
        self,
        step: _Registered,
        handle: int,
        number: int,
        oldest: int,
        feeds: Mapping[str, Any],
        seconds: float | None,
    ) -> dict[str, Any]:
        answers: dict[Future[Message], str] = {}
        for part in step.others:
            given = {key: feeds[key] for key in part.feeds}
            task = self._others[part.task]
            answer = task.run(self.name, handle, number, oldest, given, seconds)
            answers[answer] = part.task
            if step.own is not None:
                # The own part may wait for what a task that failed does not send.
                answer.add_done_callback(lambda a: self._end_own_part(a, number))
        results: dict[str, Any] = {}
        failure: BaseException | None = None
        if step.own is not None:
            given = {key: feeds[key] for key in step.own.feeds}
            try:
                results = self._own.run(self.name, handle, number, oldest, given, seconds)
            except errors.OpError as error:
                failure = error
                self._abort(step, number, str(error))
        return self._collect(step, number, answers, results, failure)

    def _end_own_part(self, answer: Future[Message], number: int) -> None:
        if answer.exception() is not None or answer.result().kind == "error":
            error = errors.AbortedError(None, None, "Another task failed")
            self._own.abort(self.name, number, error)

    def _collect(
        self,
        step: _Registered,
        number: int,
        answers: Mapping[Future[Message], str],
        results: dict[str, Any],
        failure: BaseException | None,
    ) -> dict[str, Any]:
        """The results of all tasks; the error that was first, where there was one."""
        pending = set(answers)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for answer in done:
                try:
                    message = checked(answer.result(), answers[answer])
                except errors.OpError as error:
                    if failure is None and pending:
                        self._abort(step, number, str(error))
                    if failure is None or (
                        isinstance(failure, _FOLLOWING) and not isinstance(error, _FOLLOWING)
                    ):
                        failure = error
                else:
                    results.update(message.arrays)
        if failure is not None:
            raise failure
        return results

    def _abort(self, step: _Registered, number: int, reason: str) -> None:
        if step.own is not None:
            self._own.abort(self.name, number, errors.AbortedError(None, None, reason))
        for part in step.others:
            self._others[part.task].abort(self.name, number, reason)

    # -- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """Ends the session on all tasks. Variables and queues stay."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._register.pop(self.name, None)
        self._own.close_session(self.name)
        for name in self._opened:
            self._others[name].close_session(self.name)


def _await(answer: Future[Message], task: str, deadline: float) -> None:
    try:
        message = answer.result(max(deadline - time.monotonic(), 0.0))
    except TimeoutError:
        raise errors.DeadlineExceededError(
            None, None, f"{task} did not take in its part of a step in {_REGISTER_SECONDS:.0f} s"
        ) from None
    checked(message, task)
