"""The steps of a session that are under way, and their end where a thread beside them fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from workbench.core import errors
from workbench.core.sync.scope import Scope, current, scoped

#: What a step fails with whose wait was ended.
_ENDED = (errors.CancelledError, errors.DeadlineExceededError)


class OpenSteps:
    """The steps under way of a session, some of which may wait for what its threads do.

    Once a thread has failed they may wait in vain: those that wait are ended. The session stays
    open, for the hooks to save what there is; what runs on it from then on does not wait for ever.

    Args:
      patience: the seconds that a step may take which begins after a thread has failed.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        #: The scopes of the steps, and whose threads they are.
        self._scopes: dict[Scope, int] = {}
        self._has_lost = False
        #: Calls a function, with arguments and named ones, as a step of this thread.
        self.do: Callable[..., Any] = scoped(self._do)

    @property
    def has_lost(self) -> bool:
        """True once a thread has failed."""
        return self._has_lost

    def _do(
        self,
        act: Callable[..., Any],
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] = {},
    ) -> Any:
        scope = current()
        assert scope is not None
        # No lock, for the sake of the steps: they enter and then look, `lose` says it and then
        # looks for who has entered.
        self._scopes[scope] = threading.get_ident()
        try:
            if self._has_lost:
                scope.limit(self._patience)
            return act(*arguments, **named)
        finally:
            del self._scopes[scope]

    def lose(self) -> None:
        """A thread has failed: ends the waits of the steps, other than that of the caller."""
        self._has_lost = True
        caller = threading.get_ident()
        for scope, thread in list(self._scopes.items()):
            if thread != caller:
                scope.cancel()

    def have_ended(self, error: BaseException) -> bool:
        """Whether a step failed with an error because a thread had failed."""
        return self._has_lost and isinstance(error, _ENDED)
