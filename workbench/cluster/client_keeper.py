"""The thread of a process that speaks of its sessions to the servers that lead them."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from workbench.cluster.keeper import KEEP_SECONDS, is_due, said, unknown
from workbench.cluster.wire.message import Message


class Led(Protocol):
    """A session that a server of another process leads."""

    address: str
    name: str

    def lose(self) -> None:
        """The server does not know it any more."""


class ClientKeeper:
    """Speaks of sessions while there are any; `ask` sends a message to an address."""

    def __init__(self, ask: Callable[[str, Message], Future[Message]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._sessions: dict[str, Led] = {}
        #: Since when servers owe an answer.
        self._asked: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, session: Led) -> None:
        """Speaks of a session from now on."""
        with self._lock:
            self._sessions[session.name] = session
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="workbench-keeper-client", daemon=True
                )
                self._thread.start()

    def remove(self, name: str) -> None:
        """Speaks of a session no more."""
        with self._lock:
            self._sessions.pop(name, None)

    def _work(self) -> None:
        while not self._stop.wait(KEEP_SECONDS):
            with self._lock:
                sessions = list(self._sessions.values())
                if not sessions:
                    self._thread = None
                    return
            wanted: dict[str, list[str]] = {}
            for session in sessions:
                wanted.setdefault(session.address, []).append(session.name)
            for address, names in wanted.items():
                if is_due(self._asked, address, time.monotonic()):
                    answer = self._ask(address, Message("keep", {"sessions": names}))
                    answer.add_done_callback(functools.partial(self._answered, address))

    def _answered(self, address: str, answer: Future[Message]) -> None:
        self._asked.pop(address, None)
        for name in unknown(said(answer)):
            with self._lock:
                session = self._sessions.pop(name, None)
            if session is not None:
                session.lose()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
