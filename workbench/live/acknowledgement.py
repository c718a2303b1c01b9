"""The answer to a command, which comes when the loop has obeyed it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, NamedTuple

from workbench.live.commands import Command

#: How long the methods of a run wait for the loop, in seconds.
PATIENCE = 60.0


class Obeyed(NamedTuple):
    """A command took effect: after how many steps, and what it gave."""

    step: int
    value: Any


class Acknowledgement:
    """Stands for the answer to a command that is on its way to a run."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._future: Future[Obeyed] = Future()

    @property
    def done(self) -> bool:
        """True once the answer is there."""
        return self._future.done()

    def result(self, timeout: float | None = PATIENCE) -> Obeyed:
        """The step at which the command took effect, and what it gave.

        Raises:
          TimeoutError: no answer came in `timeout` seconds; the command still waits for its turn.
          Exception: what kept the command from taking effect.
        """
        try:
            return self._future.result(timeout)
        except FutureTimeoutError:
            if self._future.done():
                raise
            name = type(self.command).__name__.lower()
            raise TimeoutError(
                f"{name} has waited {timeout:g} s for the step that runs now; it takes effect when "
                "that step ends"
            ) from None

    def call_when_done(self, function: Callable[[Acknowledgement], None]) -> None:
        """Calls `function` with this when the answer is there, in the run's thread."""
        self._future.add_done_callback(lambda _: function(self))

    def succeed(self, step: int, value: Any) -> None:
        """The loop's answer."""
        self._future.set_result(Obeyed(step, value))

    def fail(self, error: BaseException) -> None:
        """The loop's refusal."""
        self._future.set_exception(error)
