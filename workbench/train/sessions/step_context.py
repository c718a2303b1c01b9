"""What the function of `MonitoredSession.run_step_fn` gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


class StepContext:
    """The session below the hooks, and a way to run a step with them."""

    def __init__(self, session: Any, run_with_hooks_fn: Callable[..., Any]) -> None:
        self._session = session
        self._run_with_hooks_fn = run_with_hooks_fn

    @property
    def session(self) -> Any:
        """The session below the hooks: a run of it calls none of them."""
        return self._session

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """Runs a step with the hooks, as `MonitoredSession.run` does."""
        return self._run_with_hooks_fn(*args, **kwargs)

    def request_stop(self) -> NoReturn:
        """Ends the training: raises StopIteration, which the session's `with` takes for the end."""
        raise StopIteration("step_fn has requested the iterations to stop.")
