"""The master's side of a session: tells the tasks of its steps, runs them, collects the results."""

from __future__ import annotations

import functools
import itertools
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from workbench.cluster.execution.task import Task
from workbench.cluster.master.limits import cancelling
from workbench.cluster.master.running_step import RegisteredStep, RunningStep
from workbench.cluster.master.tasks import Lead, RemoteTask, checked
from workbench.cluster.session_options import blob_of
from workbench.cluster.wire.message import Message
from workbench.core import errors
from workbench.core.plan.partition.parts import Part
from workbench.core.sync.scope import Scope

#: How long a task may take to take in its part of a step, in seconds.
_REGISTER_SECONDS = 120.0
#: How long a task may take to tell what it waits for.
_TELL_SECONDS = 5.0


class MasterSession:
    """A session on the tasks of a cluster, led by one of them.

    Args:
      config: its `ConfigProto`, or None.
      own: the task of this process.
      own_name, own_address: what it is called in the session's cluster, and where it is reached.
      others: the other tasks by name.
      devices: the devices of all tasks by their full names, the default one first.
      register: the sessions that are led here by name; it is in there until it is closed.
    """

    def __init__(
        self,
        config: Any,
        own: Task,
        own_name: str,
        own_address: str,
        others: Mapping[str, RemoteTask],
        devices: Sequence[str],
        register: dict[str, MasterSession],
    ) -> None:
        self.config = config
        self.own = own
        self._own_name = own_name
        self.others = others
        self._names = {own_address: own_name, **{t.address: t.name for t in others.values()}}
        self.devices = list(devices)
        self.name = f"{own.leader}-{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._active: dict[int, RunningStep] = {}
        #: What ends the runs that need no other task.
        self._local: dict[int, Scope] = {}
        self._handles = itertools.count(1)
        self._steps: dict[int, RegisteredStep] = {}
        #: The tasks that know of the session, or are about to.
        self._opened: set[str] = set()
        self._known: set[str] = set()
        self._over: errors.OpError | None = None
        self._is_closed = False
        own.open_session(self.name, config, others)
        self._register = register
        register[self.name] = self
        own.count_session()

    # -- preparation -------------------------------------------------------------------------

    def register(self, parts: Sequence[Part]) -> int:
        """Tells the tasks of a step; the number that it is run by."""
        self.check()
        handle = next(self._handles)
        answers: list[tuple[str, Future[Message]]] = []
        others = tuple(p for p in parts if p.task != self._own_name)
        for part in others:
            task = self._task(part.task)
            with self._lock:
                is_new = part.task not in self._opened
                self._opened.add(part.task)
            if is_new:
                lead = Lead.of(self.own, self._register)
                opened = task.open_session(self.name, blob_of(self.config), lead)
                opened.add_done_callback(functools.partial(self._note_opened, part.task))
                answers.append((part.task, opened))
            answers.append((part.task, task.register(self.name, handle, part)))
        own = next((p for p in parts if p.task == self._own_name), None)
        if own is not None:
            self.own.register(self.name, handle, own)
        deadline = time.monotonic() + _REGISTER_SECONDS
        for name, answer in answers:
            _await(answer, name, deadline)
        self._steps[handle] = RegisteredStep(handle, own, others)
        return handle

    def _note_opened(self, task: str, answer: Future[Message]) -> None:
        failed = answer.cancelled() or answer.exception() is not None
        with self._lock:
            if failed or answer.result().kind == "error":
                # The next step asks again.
                self._opened.discard(task)
            else:
                self._known.add(task)

    def _task(self, name: str) -> RemoteTask:
        try:
            return self.others[name]
        except KeyError:
            raise errors.InvalidArgumentError(
                None, None, f"There is no task {name} in the cluster"
            ) from None

    # -- running -----------------------------------------------------------------------------

    def run(
        self, handle: int, feeds: Mapping[str, Any], traces: list[bytes] | None = None
    ) -> dict[str, Any]:
        """Runs a step; what the user gets of it, by the tensors' names.

        It ends with the scope of the calling thread: at its deadline, or when it is cancelled.
        What the tasks record goes to `traces`, where there is one.
        """
        step = self._steps.get(handle)
        if step is None:
            raise errors.InvalidArgumentError(None, None, f"There is no step {handle!r}")
        with self._lock:
            self.check()
            number = next(self._numbers)
            running = RunningStep(self.name, step, number, self.own, self.others)
            self._active[number] = running
            oldest = min(self._active)
        try:
            with cancelling(running.cancel):
                return running.run(oldest, feeds, traces)
        except BaseException:
            # Whatever it was, an interrupt by the user too: nobody goes on with the step.
            running.abort("The step was ended")
            raise
        finally:
            with self._lock:
                del self._active[number]

    def enter(self, scope: Scope) -> int:
        """A run that needs no other task begins; the number to leave it by."""
        with self._lock:
            self.check()
            number = next(self._numbers)
            self._local[number] = scope
        return number

    def leave(self, number: int) -> None:
        """A run that needs no other task has ended."""
        with self._lock:
            self._local.pop(number, None)

    def check(self) -> None:
        """CancelledError where the session is closed; where lost, the error that says how."""
        if self._over is not None:
            raise self._over
        if self._is_closed:
            raise errors.CancelledError(None, None, "Session::Close: the session has been closed.")

    def waiting(self) -> list[list[Any]]:
        """What steps of the session wait for, on all tasks: the fields of `Waiting`."""
        with self._lock:
            known = sorted(self._known)
        answers = [(name, self.others[name].waiting(self.name)) for name in known]
        found = self.own.waiting(self.name)
        deadline = time.monotonic() + _TELL_SECONDS
        for name, answer in answers:
            try:
                message = checked(answer.result(max(deadline - time.monotonic(), 0.0)), name)
            except (errors.OpError, TimeoutError) as error:
                found.append(["", "", f"an answer of {name}: {error}", name, "", 0.0])
            else:
                found += message.fields["waiting"]
        return found

    def labels(self, text: str | None) -> list[str]:
        """What all tasks know of whose their state is, after they are told, where it is given.

        This task counts where it knows something: others may have all of the state.
        """
        with self._lock:
            known = sorted(self._known)
        answers = [(name, self.others[name].label(self.name, text)) for name in known]
        own = self.own.label(self.name, text)
        deadline = time.monotonic() + _TELL_SECONDS
        found = [str(_await(answer, name, deadline).fields["text"]) for name, answer in answers]
        return [*([own] if own else []), *found]

    # -- the end -----------------------------------------------------------------------------

    @property
    def known_by(self) -> list[str]:
        """The other tasks that know of the session."""
        with self._lock:
            return list(self._known)

    def lose(self, error: errors.OpError) -> None:
        """The session cannot go on: its runs, also those to come, end with an error."""
        with self._lock:
            if self._over is not None or self._is_closed:
                return
            self._over = error
            active, local = list(self._active.values()), list(self._local.values())
        for running in active:
            running.lose(error)
        for scope in local:
            scope.cancel()

    def disconnected(self, sender: str, address: str, when: float) -> None:
        """A task had lost its connection with the one at an address: runs that may wait there for
        what it had sent end with UnavailableError."""
        receiver = self._names.get(address)
        if receiver is None:
            return
        with self._lock:
            active = list(self._active.values())
        for running in active:
            running.disconnected(sender, receiver, when)

    def close(self) -> None:
        """Ends the session on all tasks. Variables and queues stay."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            local = list(self._local.values())
        self._register.pop(self.name, None)
        for scope in local:
            scope.cancel()
        self.own.close_session(self.name)
        for name in self._opened:
            self.others[name].close_session(self.name)


def _await(answer: Future[Message], task: str, deadline: float) -> Message:
    began = time.monotonic()
    try:
        message = answer.result(max(deadline - time.monotonic(), 0.0))
    except TimeoutError:
        raise errors.DeadlineExceededError(
            None,
            None,
            f"{task} did not answer what was asked to prepare a step, in "
            f"{time.monotonic() - began:.1f} s",
        ) from None
    return checked(message, task)
