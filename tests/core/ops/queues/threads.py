"""Threads of tests: their errors come to light, and none is left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

#: No wait of a test is longer, in seconds.
PATIENCE = 30.0


class Task(threading.Thread):
    """A thread with the result, or the error, of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        super().__init__(daemon=True)
        self._function = function
        self._arguments = arguments
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._function(*self._arguments)
        except BaseException as error:
            self.error = error

    def end(self, patience: float = PATIENCE) -> Any:
        """The result; raises the error, or AssertionError where it goes on."""
        self.join(patience)
        assert not self.is_alive(), f"{self.name} goes on"
        if self.error is not None:
            raise self.error
        return self.result


def wait_until(condition: Callable[[], Any]) -> None:
    """Waits for a condition, and not for ever."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.001)


def wait_for(session: Any, count: int) -> None:
    """Waits until so many operations of a session wait."""
    wait_until(lambda: len(session.waiting()) == count)
