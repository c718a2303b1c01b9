"""Interrupts by the user (Ctrl-C, a notebook's stop) while the main thread handles messages.

They may come between any two instructions, and a message that was taken from its socket would be
lost. They are held back, and raised when the message is handled.
"""

from __future__ import annotations

# The module of the same name without an underscore looks numbers up in enumerations, which takes
# longer than the rest of a wait.
import _signal  # type: ignore[import-not-found]
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class held_back:
    """A block in which the main thread gets no interrupts; they come at its end.

    `wake` is called, from wherever the main thread is, when there is one.
    """

    #: The interrupt that has come, as a signal's handler gets it.
    _came: tuple[int, FrameType | None] | None = None

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._handler: Any = None

    def __enter__(self) -> None:
        if threading.get_ident() == threading.main_thread().ident:
            handler = _signal.getsignal(_signal.SIGINT)
            if callable(handler):
                self._handler = handler
                _signal.signal(_signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        held_back._came = (number, frame)
        self._wake()

    @classmethod
    def is_due(cls) -> bool:
        """Whether the block is to be left: an interrupt waits for that."""
        return cls._came is not None and threading.get_ident() == threading.main_thread().ident

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._handler is None:
            return
        _signal.signal(_signal.SIGINT, self._handler)
        came, held_back._came = held_back._came, None
        if came is not None:
            self._handler(*came)
