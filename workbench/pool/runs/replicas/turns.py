"""Turns: what must not be done twice at the same time, for each of several keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Threads that do something for the same key do it one after the other.

    >>> turns = Turns()
    >>> with turns.of("a"), turns.of("b"):
    ...     sorted(turns.taken)
    ['a', 'b']
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        #: The keys for which something is being done.
        self.taken: set[str] = set()

    @contextmanager
    def of(self, key: str) -> Iterator[None]:
        """A block that begins when no other one of this key runs."""
        with self._changed:
            self._changed.wait_for(lambda: key not in self.taken)
            self.taken.add(key)
        try:
            yield
        finally:
            with self._changed:
                self.taken.remove(key)
                self._changed.notify_all()
