"""A task: the state it keeps, the parts it was told of, and the steps that run on it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workbench.cluster.execution.containers import Containers
from workbench.cluster.execution.driven_step import DrivenStep
from workbench.cluster.execution.edge_encodings import feedback_prefix
from workbench.cluster.execution.enclosed import Enclosed
from workbench.cluster.execution.inbox import Alone, Receives
from workbench.cluster.execution.mailbox import Mailbox
from workbench.cluster.execution.part_run import SendValues
from workbench.cluster.execution.registered_part import RegisteredPart
from workbench.cluster.execution.session_states import SessionStates
from workbench.cluster.execution.step import Step, ThreadStep
from workbench.cluster.execution.threads import Threads
from workbench.cluster.wire.encodings import Encoding
from workbench.cluster.wire.peers import Sent
from workbench.core.errors import (
    AbortedError,
    CancelledError,
    InvalidArgumentError,
    UnavailableError,
)
from workbench.core.plan.partition.parts import Part
from workbench.core.plan.placement.devices import job_of
from workbench.core.runtime.state import SessionState

#: Sends values to a task: its name, the session, the step, the values, the stage that ended, and
#: how values are encoded.
Sender = Callable[
    [str, str, int, tuple[tuple[str, Any], ...], "int | None", dict[str, Encoding]],
    Sent,
]
#: So long a new session waits for what its leader's earlier ones have not ended yet, in seconds.
_END_SECONDS = 30.0


def leader_of(session: str) -> str:
    """The task that leads a session, by the session's name."""
    return session.rpartition("-")[0]


class Task:
    """One task of a cluster in this process."""

    def __init__(self, name: str, sender: Sender, receives: Receives | None = None) -> None:
        self.name = name
        #: What it is called as a leader of sessions: no other server is called so.
        self.leader = name
        self.receives = receives or Alone()
        #: Tells this process from one that had the task before.
        self.incarnation = random.SystemRandom().getrandbits(53)
        self.containers = Containers(job_of(name))
        self.threads = Threads(f"workbench-task{name}")
        self._sender = sender
        self._lock = threading.Lock()
        #: Held by the first updates of optimizers.
        self._turns = threading.Lock()
        self._mailbox: Mailbox[Step, tuple[list[tuple[str, Any]], int | None]] = Mailbox()
        self._parts: dict[str, dict[int, RegisteredPart]] = {}
        self._configs: dict[str, Any] = {}
        #: The other tasks of sessions that bring a cluster of their own.
        self._clusters: dict[str, Any] = {}
        self._states = SessionStates(self.containers)
        #: How many sessions this process has led.
        self.led = 0
        #: The steps that run, also when they are told to end.
        self._running: set[Step] = set()
        self._ended = threading.Condition(self._lock)

    def count_session(self) -> None:
        """This process leads one more session."""
        with self._lock:
            self.led += 1

    # -- sessions ----------------------------------------------------------------------------

    def open_session(self, session: str, config: Any = None, cluster: Any = None) -> None:
        """A session will run steps here; `cluster` are its own other tasks, if it has some."""
        with self._lock:
            self._parts.setdefault(session, {})
            self._configs[session] = config
            if cluster is not None:
                self._clusters[session] = cluster
            self._states.open(session, config)
            self._mailbox.open(session)

    def register(self, session: str, handle: int, part: Part) -> None:
        """Takes in a part, which steps of the session are then run by.

        AbortedError where the session is unknown: this process has not always been here.
        """
        with self._lock:
            self._await_ends(session)
            parts = self._parts.get(session)
            config = self._configs.get(session)
        if parts is None:
            raise self._unknown(session)
        try:
            registered = RegisteredPart(part, config, self.state(session), self._turns)
        except KeyError as error:
            text = f"The graph of a part lacks what its stages name: {error}"
            raise InvalidArgumentError(None, None, text) from None
        with self._lock:
            parts[handle] = registered

    def _await_ends(self, session: str) -> None:
        """Waits for what still runs of closed sessions of the same leader. With the lock.

        A step of a session that takes the place of another one sees all that the other one did.
        """
        deadline = time.monotonic() + _END_SECONDS
        own = leader_of(session)
        while waited := [s for s in self._running if self._is_left(s, own)]:
            if not self._ended.wait(deadline - time.monotonic()):
                raise UnavailableError(
                    None,
                    None,
                    f"{self.name} has not run steps of {session} for {_END_SECONDS:.0f} s: a "
                    f"session that was closed has not ended yet, {waited[0].describe()}",
                )

    def _is_left(self, step: Step, leader: str) -> bool:
        """Whether a step belongs to a session of a leader that was closed."""
        return step.session not in self._parts and leader_of(step.session) == leader

    def cluster(self, session: str) -> Any:
        """The other tasks of a session that has brought a cluster of its own; None for others."""
        return self._clusters.get(session)

    def state(self, session: str) -> SessionState:
        """The variables and resources that a session works on."""
        return self._states.of(session)

    def label(self, session: str, text: str | None) -> str:
        """Whose the state is that a session shares with others, set where `text` is given."""
        return self._states.label(session, text)

    def close_session(self, session: str) -> None:
        """Ends a session: its steps end with CancelledError, its parts are forgotten."""
        with self._lock:
            steps = self._mailbox.close(session)
            parts = self._parts.pop(session, {})
            self._configs.pop(session, None)
            self._clusters.pop(session, None)
            end_state = self._states.leave(session)
        for step in steps:
            step.abort(CancelledError(None, None, "Session::Close: the session was closed."))
        for part in parts.values():
            part.close()
        self.receives.forget_feedback(feedback_prefix(session))
        end_state()

    def _unknown(self, session: str) -> AbortedError:
        return AbortedError(
            None,
            None,
            f"{self.name} does not know the session {session}: it was started again since, and "
            "its variables have no values, or the session was closed",
        )

    # -- steps -------------------------------------------------------------------------------

    def run(
        self,
        session: str,
        handle: int,
        number: int,
        oldest: int,
        feeds: Mapping[str, Any],
        seconds: float | None = None,
        traces: list[bytes] | None = None,
    ) -> dict[str, Any]:
        """Runs this task's part of a step; what the user gets of it.

        What is recorded of its stages goes to `traces`, where there is one.
        """
        with self._lock:
            registered = self._registered(session, handle)
            step = ThreadStep(session, number, registered, self, seconds, traces)
            # Under the lock, so that nothing comes between.
            for values, ended in self._begin(step, oldest):
                step.arrived(values, ended)
        try:
            return step.run(feeds)
        finally:
            self._end(step)

    def begin(
        self,
        session: str,
        handle: int,
        number: int,
        oldest: int,
        feeds: Mapping[str, Any],
        traces: list[bytes] | None,
        ended: Callable[[dict[str, Any] | BaseException, Enclosed | None], None],
        leader: str | None = None,
    ) -> None:
        """As `run`, but no thread waits for the end: `ended` is called then.

        It has the last values for the task `leader` too, where there are some.
        """

        def end(step: DrivenStep, outcome: dict[str, Any] | BaseException) -> None:
            self._end(step)
            ended(outcome, step.enclosed)

        with self._lock:
            registered = self._registered(session, handle)
            step = DrivenStep(session, number, registered, self, traces, end, leader)
            step.hold(self._begin(step, oldest))
        step.begin(feeds)

    def _registered(self, session: str, handle: int) -> RegisteredPart:
        """The part of a step. With the lock."""
        registered = self._parts.get(session, {}).get(handle)
        if registered is None:
            raise self._unknown(session)
        return registered

    def _begin(self, step: Step, oldest: int) -> list[tuple[list[tuple[str, Any]], int | None]]:
        """A step begins: what came for it before. With the lock."""
        early = self._mailbox.begin(step.session, step.number, oldest, step)
        if early is None:
            raise AbortedError(None, None, f"Step {step.number} of {step.session} is over")
        self._running.add(step)
        return early

    def _end(self, step: Step) -> None:
        with self._lock:
            self._mailbox.end(step.session, step.number)
            self._running.discard(step)
            self._ended.notify_all()

    def deliver(
        self, session: str, number: int, values: Iterable[tuple[str, Any]], ended: int | None
    ) -> None:
        """Another task sent values for a step."""
        kept = list(values)
        with self._lock:
            step = self._mailbox.deliver(session, number, (kept, ended))
        if step is not None:
            step.arrived(kept, ended)

    def waiting(self, session: str) -> list[list[Any]]:
        """What the steps of a session wait for here: the fields of `Waiting`."""
        with self._lock:
            parts = list(self._parts.get(session, {}).values())
            steps = self._mailbox.steps(session)
        found = [[*wait] for part in parts for wait in part.waiting()]
        for step in steps:
            if awaited := step.awaited:
                found.append(["", "", awaited, f"step {step.number}", self.name, step.seconds])
        return found

    def running(self, most: int) -> list[Step]:
        """Steps that run here, of whichever session: the oldest ones, `most` at most."""
        with self._lock:
            return self._mailbox.all_steps()[:most]

    def abort(self, session: str, number: int, error: BaseException) -> None:
        """Ends a step, or has it not begin."""
        with self._lock:
            step = self._mailbox.end(session, number)
        if step is not None:
            step.abort(error)

    def send(self, step: Step, instruction: SendValues) -> Sent:
        """Sends what a step gives for another task: what that took."""
        return self._sender(
            instruction.task,
            step.session,
            step.number,
            instruction.values,
            instruction.ended,
            step.encodings([name for name, _ in instruction.values]),
        )

    def start(self, work: Callable[[], None]) -> None:
        """Does something in another thread."""
        self.threads.start(work)

    def is_own_thread(self) -> bool:
        """Whether this thread is one that `start` uses."""
        return self.threads.is_own()

    def close(self) -> None:
        """Ends all sessions and forgets everything."""
        for session in list(self._parts):
            self.close_session(session)
        self.containers.close()
        self.threads.close()
