"""Since when connections of a task are lost: what it had sent to others may be lost with them.

A value that a part of a step has sent is nobody's any more: the part may have ended, and been
answered for. So whoever leads steps asks for this, and ends those that may wait for ever.

Others are told apart by their addresses: what they are called depends on the session.
"""

from __future__ import annotations

import threading

#: What was longer ago has been asked for.
_TOLD_SECONDS = 120.0


class Losses:
    """When the connection with each other address was lost last.

    >>> losses = Losses()
    >>> losses.note("tcp://10.0.0.1:2222", 10.0)
    >>> losses.ages(12.5), losses.ages(500.0)
    ({'tcp://10.0.0.1:2222': 2.5}, {})
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost: dict[str, float] = {}

    def note(self, address: str, now: float) -> None:
        """The connection with an address is lost."""
        with self._lock:
            self._forget(now)
            self._lost[address] = now

    def ages(self, now: float) -> dict[str, float]:
        """How many seconds ago that was, by the addresses."""
        with self._lock:
            self._forget(now)
            return {address: now - at for address, at in self._lost.items()}

    def _forget(self, now: float) -> None:
        self._lost = {a: at for a, at in self._lost.items() if now - at < _TOLD_SECONDS}
