"""Threads of tests whose errors are the test's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from unittest import TestCase


class CheckedThread:
    """A thread whose error fails the test when it is joined."""

    def __init__(
        self,
        test_case: TestCase,
        target: Callable[..., Any],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self._test_case = test_case
        self._target = target
        self._args = tuple(args or ())
        self._kwargs = dict(kwargs or {})
        self._error: BaseException | None = None
        self._is_joined = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._target(*self._args, **self._kwargs)
        except BaseException as error:
            self._error = error

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def join(self) -> None:
        """Waits for the end of the thread; fails the test where it ended with an error."""
        self._is_joined = True
        self._thread.join()
        if self._error is not None:
            self._test_case.fail(f"Error in checkedThread: {self._error}")

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def ident(self) -> int | None:
        """The number that Python gives the thread."""
        return self._thread.ident

    def check_termination(self) -> None:
        """Fails the test unless the thread was joined or has ended."""
        if self._is_joined:
            if self.is_alive():
                self._test_case.fail("Thread was not joined with main thread, and is still running")
        elif self.is_alive():
            self._test_case.fail("A checked thread was not joined.")
        elif self._error is not None:
            self._test_case.fail(f"Error in checkedThread: {self._error}")
