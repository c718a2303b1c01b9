"""Leases: sessions that somebody of another process leads, until nothing is heard of it."""

from __future__ import annotations

import threading

#: A session whose leader says nothing for so long is ended, in seconds.
LEASE_SECONDS = 30.0


class Leases:
    """When each session was last heard of, by the monotonic clock.

    >>> from workbench.cluster.execution.leases import Leases
    >>> leases = Leases(seconds=30.0)
    >>> leases.begin("a", now=0.0)
    >>> leases.renew(["a", "b"], now=20.0)
    ['b']
    >>> leases.expired(now=49.0), leases.expired(now=51.0)
    ([], ['a'])
    """

    def __init__(self, seconds: float = LEASE_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._heard: dict[str, float] = {}

    def begin(self, session: str, now: float) -> None:
        """A session begins."""
        with self._lock:
            self._heard[session] = now

    def renew(self, sessions: list[str], now: float) -> list[str]:
        """Sessions are still wanted; those that are not known here."""
        with self._lock:
            for session in sessions:
                if session in self._heard:
                    self._heard[session] = now
            return [s for s in sessions if s not in self._heard]

    def end(self, session: str) -> None:
        """A session ends."""
        with self._lock:
            self._heard.pop(session, None)

    def expired(self, now: float) -> list[str]:
        """The sessions that nobody has spoken of for too long; they are forgotten here."""
        with self._lock:
            gone = [s for s, heard in self._heard.items() if now - heard > self._seconds]
            for session in gone:
                del self._heard[session]
            return gone
