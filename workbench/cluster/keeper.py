"""The thread of a server that keeps sessions alive, and ends those that nobody keeps.

Whoever leads a session speaks of it to the tasks that know it, every second. A task that does not
know a session any more was started again: the session is lost at once. A session that nobody
speaks of is ended. A task that has lost the connection with another one says so: steps of both may
wait for what it had sent.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from workbench.cluster.master.master_session import MasterSession
from workbench.cluster.master.tasks import Lead, RemoteTask
from workbench.cluster.wire.message import Message
from workbench.core.errors import AbortedError

_Whom = TypeVar("_Whom")

#: How often sessions are spoken of, in seconds.
KEEP_SECONDS = 1.0
#: After so long without an answer they are spoken of again.
_ANSWER_SECONDS = 2.5


class Keeper:
    """Looks after the sessions of a server.

    Args:
      name: the server's task.
      led: the sessions that are led here, by name.
      lead: what the server says of itself as a leader of sessions.
      tend: ends the sessions that nobody speaks of, and the steps that nobody waits for.
    """

    def __init__(
        self,
        name: str,
        led: Mapping[str, MasterSession],
        lead: Callable[[], Lead],
        tend: Callable[[float], None],
    ) -> None:
        self._led, self._lead, self._tend = led, lead, tend
        #: Since when tasks owe an answer.
        self._asked: dict[RemoteTask, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._work, name=f"workbench-keeper{name}", daemon=True
        )
        self._thread.start()

    def _work(self) -> None:
        while not self._stop.wait(KEEP_SECONDS):
            self._speak()
            self._tend(time.monotonic())

    def _speak(self) -> None:
        # Before the sessions: what is counted here is named there, or closed.
        lead = self._lead()
        wanted: dict[RemoteTask, list[str]] = {}
        for session in list(self._led.values()):
            for name in session.known_by:
                wanted.setdefault(session.others[name], []).append(session.name)
        for task, sessions in wanted.items():
            if is_due(self._asked, task, time.monotonic()):
                answer = task.keep(sessions, lead)
                answer.add_done_callback(functools.partial(self._answered, task))

    def _answered(self, task: RemoteTask, answer: Future[Message]) -> None:
        self._asked.pop(task, None)
        # One that is silent fails the steps that wait for it; there is nothing to do here.
        fields = said(answer)
        for name in unknown(fields):
            session = self._led.get(name)
            if session is not None and task.name in session.known_by:
                session.lose(lost(task.name, session.name))
        now = time.monotonic()
        # In the cluster of another session the name may be that of another task.
        concerned = [s for s in list(self._led.values()) if s.others.get(task.name) is task]
        for address, age in _losses(fields).items():
            for session in concerned:
                session.disconnected(task.name, address, now - age)

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(5.0)


def is_due(asked: dict[_Whom, float], whom: _Whom, now: float) -> bool:
    """Whether to ask somebody now, which is noted then.

    One question is open at a time; but where the process that was asked is gone, and another one
    has its address, nobody answers it.
    """
    since = asked.get(whom)
    if since is not None and now - since < _ANSWER_SECONDS:
        return False
    asked[whom] = now
    return True


def said(answer: Future[Message]) -> Mapping[str, Any]:
    """What an answer says; nothing where there is none."""
    return {} if answer.cancelled() or answer.exception() is not None else answer.result().fields


def unknown(fields: Mapping[str, Any]) -> list[str]:
    """The sessions that are unknown to whom they were spoken of to, by what was answered."""
    found = fields.get("unknown")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _losses(fields: Mapping[str, Any]) -> dict[str, float]:
    """How many seconds ago connections were lost, by address."""
    found = fields.get("losses")
    given = found.items() if isinstance(found, dict) else ()
    return {address: age for address, age in given if isinstance(age, float)}


def lost(where: str, session: str) -> AbortedError:
    """The error of a session that a task, or its server, does not know any more."""
    return AbortedError(
        None,
        None,
        f"{where} does not know the session {session} any more: it was started again since and its "
        "variables have lost their values, or it has heard nothing of the session for too long",
    )
