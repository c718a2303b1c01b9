"""The thin shell around a machine of attempts: locks, threads that wait, deadlines.

No lock is held while somebody waits, and each that waits is woken alone.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from workbench.core.errors import CancelledError, DeadlineExceededError
from workbench.core.sync import replays
from workbench.core.sync import scope as scopes
from workbench.core.sync.attempts import Attempt, Failed, Machine
from workbench.core.sync.interrupts import Uninterrupted
from workbench.core.sync.registry import Wait, registered
from workbench.core.sync.reporting import Reporter


class Shared:
    """A machine that threads share: the resource of a session.

    Subclasses say what it is, and what may be done with it.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._lock = threading.Lock()
        self._is_gone = False

    # -- what threads do ---------------------------------------------------------------------

    def perform(self, request: Any, context: Any = None) -> Any:
        """Does what a request wants, waiting for it where need be; raises where it cannot.

        `context` says for which operation of which session, for whoever asks who waits.
        """
        replay = replays.current()
        attempt = replay.next() if replay is not None else None
        try:
            if attempt is None:
                attempt = Attempt(request)
                self._enter(attempt, replay)
            if attempt.outcome is None and replay is None:
                self._wait(attempt, context)
        except BaseException:
            if attempt is not None:
                self.give_up(attempt)
            raise
        if attempt.outcome is None:
            assert replay is not None
            self._stop(replay, attempt, context)
        assert attempt.outcome is not None
        return attempt.outcome.result()

    def _enter(self, attempt: Attempt, replay: replays.Replay | None) -> None:
        scope = scopes.current()
        with Uninterrupted(), self._lock:
            # Looked at here: what others do after the run was cancelled is not for it.
            if self._is_gone or (scope is not None and scope.is_cancelled):
                raise CancelledError(None, None, self.machine.given_up(attempt.request))
            over = self.machine.enter(attempt)
            if replay is not None:
                attempt.gate = replay
                replay.note(self, attempt)
            elif attempt.outcome is None:
                attempt.gate = threading.Lock()
                attempt.gate.acquire()
            self._tell(each for each in over if each is not attempt)

    def change(self, event: Callable[[], list[Attempt]]) -> None:
        """Has something happen to the machine that needs no waiting, and tells whom it concerns."""
        with Uninterrupted(), self._lock:
            self._tell(event())

    def ask(self, question: Callable[[], Any]) -> Any:
        """Something about the machine, while nobody changes it."""
        with Uninterrupted(), self._lock:
            return question()

    def describe(self) -> str:
        """What state it is in, in words."""
        return type(self).__name__

    # -- what sessions do --------------------------------------------------------------------

    def close(self) -> None:
        """The session is over: cancels all that wait, and all that will."""
        with Uninterrupted(), self._lock:
            self._is_gone = True
            self._tell(self.machine.cancel_all())

    # -- parts -------------------------------------------------------------------------------

    @staticmethod
    def _tell(over: Iterable[Attempt]) -> None:
        """Wakes those whose attempts are over."""
        for attempt in over:
            if attempt.gate is not None:
                _open(attempt)

    def give_up(self, attempt: Attempt) -> None:
        """Gives up an attempt, and what it got, unless its outcome is an error."""
        with Uninterrupted(), self._lock:
            if not isinstance(attempt.outcome, Failed) and self._has_entered(attempt):
                self._tell(self.machine.withdraw(attempt))

    def _has_entered(self, attempt: Attempt) -> bool:
        return attempt.outcome is not None or attempt in self.machine.waiting

    def _wait(self, attempt: Attempt, context: Any) -> None:
        """Waits until an attempt is over, or until its run is."""
        scope = scopes.current()
        wait = self._as_wait(attempt, context)
        with registered(wait):
            if scope is None:
                self._await(attempt, wait, None)
                return
            with scope.waiting(_Waiter(self, attempt)):
                self._await(attempt, wait, scope)

    def _stop(self, replay: replays.Replay, attempt: Attempt, context: Any) -> None:
        """Ends a run that must not wait, until the attempt is over."""
        scope = scopes.current()
        wait = self._as_wait(attempt, context)
        wait.thread = None
        ends = [] if scope is None else [scope.waiting(_Waiter(self, attempt))]
        replay.stop(registered(wait), *ends)

    def _as_wait(self, attempt: Attempt, context: Any) -> Wait:
        return Wait(context, lambda: str(attempt.request), self.describe)

    def _await(self, attempt: Attempt, wait: Wait, scope: scopes.Scope | None) -> None:
        reporter = Reporter(wait)
        while attempt.outcome is None:
            now = time.monotonic()
            deadline = None if scope is None else scope.deadline
            if scope is not None and deadline is not None and now >= deadline:
                self.end_attempt(attempt, Failed(DeadlineExceededError, _late(attempt, scope)))
                return
            look = None if reporter.next_look is None else wait.began + reporter.next_look
            if look is not None and now >= look:
                reporter.look(now - wait.began)
                continue
            nearest = min((t for t in (deadline, look) if t is not None), default=None)
            # Whoever ends the attempt, or moves the deadline, opens the gate.
            attempt.gate.acquire(timeout=-1 if nearest is None else nearest - now)

    def end_attempt(self, attempt: Attempt, failure: Failed | None = None) -> None:
        """Ends an attempt that is not over, from any thread; without a failure it is cancelled."""
        with Uninterrupted(), self._lock:
            if attempt.outcome is None:
                self._tell([*self.machine.withdraw(attempt, failure), attempt])


class _Waiter:
    """An attempt that is waited for, as the scope of its run sees it."""

    def __init__(self, shared: Shared, attempt: Attempt) -> None:
        self._shared = shared
        self._attempt = attempt

    def cancel(self) -> None:
        self._shared.end_attempt(self._attempt)

    def look(self) -> None:
        _open(self._attempt)


def _open(attempt: Attempt) -> None:
    """Lets the thread that waits for an attempt look again."""
    # It may be open already: then that thread is about to look.
    with contextlib.suppress(RuntimeError):
        attempt.gate.release()


def _late(attempt: Attempt, scope: scopes.Scope) -> str:
    return (
        f"Timed out waiting for notification: {attempt.request} did not come within "
        f"{scope.seconds or 0.0:g} s"
    )
