"""Queues as state machines: elements go in and come out, one or many at a time.

Elements are whatever the store takes. Requests are served in turn, those that enqueue apart from
those that dequeue. One for many elements is served bit by bit: it puts in, or takes out, what it
can, so that it may be for more than there is room for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from workbench.core.errors import CancelledError, OutOfRangeError
from workbench.core.sync.attempts import Done, Failed, Lane, Machine, Outcome
from workbench.core.sync.stores import ShuffleStore, Store


class Enqueue:
    """Put elements in, one after the other."""

    def __init__(self, elements: Iterable[Any]) -> None:
        self.rest = deque(elements)

    def __str__(self) -> str:
        return f"room for {len(self.rest)} more"


class Dequeue:
    """Take `count` elements out; fewer, but at least one, of a closed queue where `up_to`."""

    def __init__(self, count: int, up_to: bool = False) -> None:
        self.count = count
        self.up_to = up_to
        self.taken: list[Any] = []

    def __str__(self) -> str:
        missing = self.count - len(self.taken)
        return f"{missing} more element{'s' if missing != 1 else ''}"


class Close:
    """Close the queue after all that wait to enqueue have done so."""

    def __str__(self) -> str:
        return "those before it to enqueue"


class QueueMachine(Machine):
    """A queue.

    Args:
      store: holds the elements, and chooses which is next.
      capacity: how many elements there may be; negative for any number.
      title: what errors call it.
    """

    def __init__(self, store: Store, capacity: int, title: str) -> None:
        self._enqueuing = Lane()
        self._dequeuing = Lane()
        super().__init__((self._enqueuing, self._dequeuing))
        self.store = store
        self.capacity = capacity
        self.title = title
        self.closed = False

    @property
    def size(self) -> int:
        """How many elements it holds."""
        return len(self.store)

    def describe(self) -> str:
        """What state it is in, in words."""
        room = f" of {self.capacity}" if self.capacity >= 0 else ""
        return f"{self.title} holds {self.size}{room}, {'closed' if self.closed else 'open'}"

    def close_now(self) -> list[Any]:
        """Closes it, and cancels all that wait to enqueue. Gives the attempts that are over."""
        self.closed = True
        return self.cancel_all([self._enqueuing])

    # -- serving -----------------------------------------------------------------------------

    def lane(self, request: Any) -> Lane:
        return self._dequeuing if isinstance(request, Dequeue) else self._enqueuing

    def serve(self, request: Any) -> Outcome | bool:
        if isinstance(request, Enqueue):
            return self._enqueue(request)
        if isinstance(request, Dequeue):
            return self._dequeue(request)
        if self.closed:
            return Failed(CancelledError, f"{self.title} is already closed.")
        self.closed = True
        return Done()

    def take_back(self, request: Any) -> None:
        if isinstance(request, Dequeue):
            self.store.put_back(request.taken)
            request.taken = []

    def given_up(self, request: Any) -> str:
        kinds = {Enqueue: "Enqueue", Dequeue: "Dequeue", Close: "Close"}
        return f"{kinds[type(request)]} operation was cancelled"

    def _enqueue(self, request: Enqueue) -> Outcome | bool:
        if not request.rest:
            return Done()
        if self.closed:
            return Failed(CancelledError, f"{self.title} is closed.")
        changed = False
        while request.rest and (self.capacity < 0 or self.size < self.capacity):
            self.store.put(request.rest.popleft())
            changed = True
        return changed if request.rest else Done()

    def _dequeue(self, request: Dequeue) -> Outcome | bool:
        wanted = request.count - len(request.taken)
        found = min(wanted, self.store.available(self.closed))
        if self.closed and found < wanted and not self._suffices(request, found):
            self.take_back(request)
            return Failed(
                OutOfRangeError,
                f"{self.title} is closed and has insufficient elements (requested "
                f"{request.count}, current size {self.size})",
            )
        if found < wanted and not (self.closed or self.store.in_parts):
            return False
        request.taken += [self.store.take() for _ in range(found)]
        return found > 0 if found < wanted and not self.closed else Done(list(request.taken))

    @staticmethod
    def _suffices(request: Dequeue, found: int) -> bool:
        """True where a request takes what is left of a closed queue."""
        return request.up_to and bool(request.taken or found)

    # -- keeping -----------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """All that it holds, what is in the hands of those that wait included."""
        held = [e for attempt in self._dequeuing.attempts for e in attempt.request.taken]
        # Whoever waits will take them first, when it all goes on from here.
        saved: dict[str, Any] = {"elements": [*held, *self.store.contents()]}
        saved["closed"] = self.closed
        if isinstance(self.store, ShuffleStore):
            saved |= {"seed": self.store.seed, "choices": self.store.choices}
        return saved

    def restore(self, saved: dict[str, Any]) -> list[Any]:
        """Holds what was saved. Gives the attempts that are over by that."""
        for attempt in self._dequeuing.attempts:
            attempt.request.taken = []
        self.store.fill(saved["elements"])
        self.closed = saved["closed"]
        if isinstance(self.store, ShuffleStore):
            self.store.seed, self.store.choices = saved["seed"], saved["choices"]
        return self.settle()
