"""Who leads the sessions that a task knows: what a leader does not lead any more is over.

A leader is a task that runs sessions on others. It numbers its sessions, and says with each new
one, and every second, which of them it still leads. So nothing of a session that was lost goes on
beside the one that takes its place, whether its end was told or not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Leader:
    """A process that leads sessions: its task, and what tells it from earlier ones with that."""

    task: str
    incarnation: int


class Leaders:
    """The sessions of other processes by who leads them.

    >>> from workbench.cluster.execution.leaders import Leader, Leaders
    >>> leaders, old, new = Leaders(), Leader("/job:a", 1), Leader("/job:a", 2)
    >>> leaders.begin("first", old, 1), leaders.begin("second", old, 2)
    ([], [])
    >>> leaders.leads(old, ["second"], last=2)
    ['first']
    >>> leaders.begin("third", new, 1)
    ['second']
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: The leader of each session, and the session's number among those of its leader.
        self._led: dict[str, tuple[Leader, int]] = {}
        self._latest: dict[str, Leader] = {}

    def begin(self, session: str, leader: Leader, number: int) -> list[str]:
        """A session begins. Those that an earlier process led are over by that."""
        with self._lock:
            self._latest[leader.task] = leader
            over = [
                other
                for other, (by, _) in self._led.items()
                if by.task == leader.task and by != leader
            ]
            for each in over:
                del self._led[each]
            self._led[session] = (leader, number)
            return over

    def leads(self, leader: Leader, sessions: Iterable[str], last: int) -> list[str]:
        """A leader leads these sessions of the first `last` that it ever led; the others are over.

        What a process says that another one has taken the place of counts for nothing.
        """
        named = set(sessions)
        with self._lock:
            if self._latest.get(leader.task) != leader:
                return []
            over = [
                session
                for session, (by, number) in self._led.items()
                if by == leader and number <= last and session not in named
            ]
            for each in over:
                del self._led[each]
            return over

    def end(self, session: str) -> None:
        """A session is over."""
        with self._lock:
            self._led.pop(session, None)
