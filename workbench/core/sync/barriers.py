"""Barriers as state machines: the components of an element come one by one, in any order.

An element is known by its key. When all its components are there it is ready to be taken. Ready
elements are taken in the order in which their first components came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.errors import CancelledError, InvalidArgumentError, OutOfRangeError
from workbench.core.sync.attempts import Attempt, Done, Failed, Lane, Machine, Outcome
from workbench.core.sync.stores import PriorityStore

#: The number of the first insertion.
_FIRST = -(1 << 63)


class Insert:
    """Give keys their values for one component. It never waits."""

    def __init__(self, component: int, keys: Sequence[Any], values: Sequence[Any]) -> None:
        self.component = component
        self.keys = keys
        self.values = values


class Take:
    """Take `count` ready elements; of a closed barrier what is ready where `up_to`."""

    def __init__(self, count: int, up_to: bool = False) -> None:
        self.count = count
        self.up_to = up_to
        #: Whether the barrier was open when the request came: None until it is served.
        self.came_in_time: bool | None = None
        self.taken: list[Any] = []

    def __str__(self) -> str:
        return f"{self.count} ready element{'s' if self.count != 1 else ''}"


class CloseBarrier:
    """Let no new keys in; where `cancels`, no more values for old ones either. It never waits."""

    def __init__(self, cancels: bool) -> None:
        self.cancels = cancels


class BarrierMachine(Machine):
    """A barrier whose elements have so many components. `title` is what errors call it."""

    def __init__(self, components: int, title: str) -> None:
        self._entering = Lane()
        self._taking = Lane()
        super().__init__((self._entering, self._taking))
        self.title = title
        self.ready = PriorityStore()
        self._components = components
        #: For each key that lacks a component: the number of its insertion, and its values.
        self._incomplete: dict[Any, tuple[int, dict[int, Any]]] = {}
        self._insertion = _FIRST
        self.closed = False
        self._cancels = False

    @property
    def ready_size(self) -> int:
        """How many elements are ready."""
        return len(self.ready)

    @property
    def incomplete_size(self) -> int:
        """How many elements lack a component."""
        return len(self._incomplete)

    def describe(self) -> str:
        """What state it is in, in words."""
        return (
            f"{self.title} has {self.ready_size} ready and {self.incomplete_size} incomplete "
            f"elements, {'closed' if self.closed else 'open'}"
        )

    # -- serving -----------------------------------------------------------------------------

    def lane(self, request: Any) -> Lane:
        return self._taking if isinstance(request, Take) else self._entering

    def serve(self, request: Any) -> Outcome | bool:
        if isinstance(request, Insert):
            return self._insert(request)
        if isinstance(request, Take):
            return self._take(request)
        return self._close(request)

    def take_back(self, request: Any) -> None:
        if isinstance(request, Take):
            self.ready.put_back(request.taken)
            request.taken = []

    def given_up(self, request: Any) -> str:
        return "Dequeue operation was cancelled"

    def _insert(self, request: Insert) -> Outcome:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        is_new = False
        for key, value in zip(request.keys, request.values, strict=True):
            is_new = is_new or key not in self._incomplete
            number, values = self._incomplete.setdefault(key, (self._insertion, {}))
            values[request.component] = value
            if len(values) == self._components:
                del self._incomplete[key]
                self.ready.put((number, key, *(values[i] for i in range(self._components))))
        self._insertion += is_new
        return Done()

    def _refusal(self, request: Insert) -> Failed | None:
        """Why a request is not for this barrier as it is: nothing of it is done then."""
        if self.closed and (self._cancels or (request.keys and not self._incomplete)):
            return Failed(
                CancelledError,
                f"{self.title} is closed.  Pending enqueues cancelled: {self._cancels}.  Number "
                f"of new insertions: {len(request.keys)}.  Number of incomplete keys: "
                f"{self.incomplete_size}.",
            )
        seen = set()
        for key in request.keys:
            if self.closed and key not in self._incomplete:
                return Failed(
                    CancelledError,
                    f"{self.title} is closed, but attempted to insert a brand new key: {key!r}.",
                )
            values = self._incomplete.get(key, (0, {}))[1]
            # One key twice in a request is one value too many, too, unless it completes at once.
            if request.component in values or (key in seen and self._components > 1):
                return Failed(
                    InvalidArgumentError,
                    f"Key {key!r} already has a value for component {request.component} in "
                    f"{self.title}",
                )
            seen.add(key)
        return None

    def _take(self, request: Take) -> Outcome | bool:
        if request.came_in_time is None:
            request.came_in_time = not self.closed
        found = min(request.count, self.ready_size)
        if found < request.count:
            if not self.closed:
                return False
            if not (request.up_to and found):
                return False if self._may_come(request) else self._insufficient(request)
        request.taken = [self.ready.take() for _ in range(found)]
        return Done(list(request.taken))

    def _may_come(self, request: Take) -> bool:
        """True where a closed barrier may have enough for a request later."""
        if request.up_to:
            return bool(request.came_in_time and self._incomplete)
        return self.ready_size + self.incomplete_size >= request.count

    def _insufficient(self, request: Take) -> Failed:
        return Failed(
            OutOfRangeError,
            f"{self.title} is closed and has insufficient elements (requested {request.count}, "
            f"total size {self.ready_size + self.incomplete_size})",
        )

    def _close(self, request: CloseBarrier) -> Outcome:
        if self.closed and (self._cancels or not request.cancels):
            return Failed(CancelledError, f"{self.title} is already closed.")
        self.closed = True
        self._cancels = request.cancels
        if request.cancels:
            self._incomplete.clear()
        return Done()

    # -- keeping -----------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """All that it holds."""
        return {
            "ready": self.ready.contents(),
            "incomplete": [
                (key, number, list(values.items()))
                for key, (number, values) in self._incomplete.items()
            ],
            "insertion": self._insertion,
            "closed": self.closed,
            "cancels": self._cancels,
        }

    def restore(self, saved: dict[str, Any]) -> list[Attempt]:
        """Holds what was saved. Gives the attempts that are over by that."""
        self.ready.fill(saved["ready"])
        self._incomplete = {
            key: (number, dict(values)) for key, number, values in saved["incomplete"]
        }
        self._insertion = saved["insertion"]
        self.closed, self._cancels = saved["closed"], saved["cancels"]
        return self.settle()
