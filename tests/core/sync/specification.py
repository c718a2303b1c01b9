"""What a first-in first-out queue is to do, as simply as it can be said.

The specification keeps whole lists and looks at everything again after each event; it has no lanes
and no progress. `outcomes` are what each request came to: None while it waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Wish:
    """One request and what became of it."""

    kind: str
    elements: list[Any] = field(default_factory=list)
    count: int = 0
    outcome: Any = None


class SimpleQueue:
    """A queue of some capacity."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.held: list[Any] = []
        self.closed = False
        self.wishes: list[Wish] = []

    def ask(self, wish: Wish) -> None:
        self.wishes.append(wish)
        self.settle()

    def cancel(self, wish: Wish) -> None:
        if wish.outcome is None:
            if wish.kind in ("dequeue", "up to"):
                self.held[:0] = wish.elements
            wish.outcome = "cancelled"
            self.settle()

    def close_now(self) -> None:
        self.closed = True
        for wish in self._open("enqueue", "close"):
            wish.outcome = "cancelled"
        self.settle()

    def settle(self) -> None:
        while self._one_thing():
            pass

    def _open(self, *kinds: str) -> list[Wish]:
        return [w for w in self.wishes if w.outcome is None and w.kind in kinds]

    def _one_thing(self) -> bool:
        givers = self._open("enqueue", "close")
        if givers and self._give(givers[0]):
            return True
        takers = self._open("dequeue", "up to")
        return bool(takers) and self._take(takers[0])

    def _give(self, wish: Wish) -> bool:
        if wish.kind == "close":
            wish.outcome = "cancelled" if self.closed else "done"
            self.closed = True
        elif not wish.elements:
            wish.outcome = "done"
        elif self.closed:
            wish.outcome = "cancelled"
        elif len(self.held) < self.capacity:
            self.held.append(wish.elements.pop(0))
        else:
            return False
        return True

    def _take(self, wish: Wish) -> bool:
        if len(wish.elements) == wish.count:
            wish.outcome = list(wish.elements)
        elif self.held:
            wish.elements.append(self.held.pop(0))
        elif not self.closed:
            return False
        elif wish.kind == "up to" and wish.elements:
            wish.outcome = list(wish.elements)
        else:
            self.held, wish.elements = list(wish.elements), []
            wish.outcome = "out of range"
        return True
