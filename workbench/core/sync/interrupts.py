"""Sections of code that Ctrl-C does not cut in two."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Any


class Uninterrupted:
    """A scope at whose end, not within which, KeyboardInterrupt is raised.

    Only the main thread is ever interrupted; in others it does nothing. It is for a few lines that
    wait for nothing.
    """

    __slots__ = ("_came", "_handler")

    def __init__(self) -> None:
        self._handler: Any = None
        self._came: list[tuple[int, Any]] = []

    def __enter__(self) -> None:
        if threading.get_ident() == threading.main_thread().ident:
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._handler = handler
                signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: Any) -> None:
        self._came.append((number, frame))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            for number, frame in self._came:
                self._handler(number, frame)
