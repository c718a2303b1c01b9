"""Things that take long to make, made on a thread of their own while others go on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable

#: So many things are remembered as made.
_REMEMBERED = 64


class Preparation:
    """Makes one thing after another beside the thread that needs them.

    >>> preparation = Preparation("example")
    >>> preparation.is_done("sum", lambda: None)
    False
    >>> preparation.wait(10.0)
    True
    >>> preparation.is_done("sum", lambda: None)
    True
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._done: deque[Hashable] = deque(maxlen=_REMEMBERED)

    def is_done(self, key: Hashable, make: Callable[[], object]) -> bool:
        """True once `make` has been called for this key; begins to where nothing else is made.

        What it raises is left to the caller, who meets it where the thing is needed.
        """
        if self._thread is not None:
            if self._thread.is_alive():
                return False
            self._thread = None
        if key in self._done:
            return True
        self._thread = threading.Thread(
            target=self._make, args=(key, make), name=self._name, daemon=True
        )
        self._thread.start()
        return False

    def wait(self, seconds: float) -> bool:
        """Waits for what is being made; False where it takes longer."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _make(self, key: Hashable, make: Callable[[], object]) -> None:
        try:
            make()
        except Exception:  # the caller makes it again and meets the same error
            pass
        finally:
            self._done.append(key)
