"""Staging areas as state machines: a first-in first-out buffer with room for so much."""

from __future__ import annotations

from collections import deque
from typing import Any

from workbench.core.errors import ResourceExhaustedError
from workbench.core.sync.attempts import Attempt, Done, Failed, Lane, Machine, Outcome


class Room:
    """How much a staging area may hold: elements and bytes, 0 for any number."""

    def __init__(self, capacity: int, memory_limit: int) -> None:
        self.capacity = capacity
        self.memory_limit = memory_limit

    def refuses(self, size: int) -> Failed | None:
        """The error for what will never fit."""
        if not self.memory_limit or size <= self.memory_limit:
            return None
        return Failed(
            ResourceExhaustedError,
            f"Attempted to insert tensors with combined size of '{size}' bytes into Staging Area "
            f"with a memory limit of '{self.memory_limit}'.",
        )

    def has_bytes(self, held: int, size: int) -> bool:
        """True where so many bytes fit beside those it holds."""
        return not self.memory_limit or held + size <= self.memory_limit

    def has_place(self, held: int) -> bool:
        """True where one more element fits beside those it holds."""
        return not self.capacity or held < self.capacity


class Put:
    """Put an element of so many bytes in."""

    def __init__(self, element: Any, size: int) -> None:
        self.element = element
        self.size = size

    def __str__(self) -> str:
        return f"room for one more element of {self.size} bytes"


class Get:
    """Take the first element out."""

    def __init__(self) -> None:
        self.taken: list[tuple[Any, int]] = []

    def __str__(self) -> str:
        return "an element"


class Peek:
    """Look at the element of a number, counted from the first."""

    def __init__(self, index: int) -> None:
        self.index = index

    def __str__(self) -> str:
        return f"element {self.index}"


class StageMachine(Machine):
    """A staging area. `title` is what reports call it."""

    def __init__(self, room: Room, title: str) -> None:
        self._putting = Lane()
        self._getting = Lane()
        self._peeking = Lane(in_turn=False)
        super().__init__((self._putting, self._peeking, self._getting))
        self.room = room
        self.title = title
        self._elements: deque[tuple[Any, int]] = deque()
        self._bytes = 0

    @property
    def size(self) -> int:
        """How many elements it holds."""
        return len(self._elements)

    def describe(self) -> str:
        """What state it is in, in words."""
        return f"{self.title} holds {self.size} elements of {self._bytes} bytes"

    def clear(self) -> list[Attempt]:
        """Holds nothing. Gives the attempts that are over by that."""
        self._elements.clear()
        self._bytes = 0
        return self.settle()

    def lane(self, request: Any) -> Lane:
        lanes = {Put: self._putting, Get: self._getting, Peek: self._peeking}
        return lanes[type(request)]

    def serve(self, request: Any) -> Outcome | bool:
        if isinstance(request, Put):
            return self._put(request)
        if isinstance(request, Peek):
            if request.index >= self.size:
                return False
            return Done(self._elements[request.index][0])
        if not self._elements:
            return False
        entry = self._elements.popleft()
        self._bytes -= entry[1]
        request.taken = [entry]
        return Done(entry[0])

    def take_back(self, request: Any) -> None:
        if isinstance(request, Get) and request.taken:
            self._elements.appendleft(request.taken[0])
            self._bytes += request.taken[0][1]
            request.taken = []

    def _put(self, request: Put) -> Outcome | bool:
        refusal = self.room.refuses(request.size)
        if refusal is not None:
            return refusal
        if not (self.room.has_place(self.size) and self.room.has_bytes(self._bytes, request.size)):
            return False
        self._elements.append((request.element, request.size))
        self._bytes += request.size
        return Done()

    def saved(self) -> dict[str, Any]:
        """All that it holds."""
        return {"elements": list(self._elements)}

    def restore(self, saved: dict[str, Any]) -> list[Attempt]:
        """Holds what was saved. Gives the attempts that are over by that."""
        self._elements = deque(saved["elements"])
        self._bytes = sum(size for _, size in self._elements)
        return self.settle()
