"""What came for the operations of a group: in their order, early ones kept, stale ones dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: Ranks are at most one operation ahead of each other after each exchange; a broadcast's root may
#: go on for longer. What is further ahead than this comes from somebody who is lost.
MOST_AHEAD = 4096


@dataclass(frozen=True)
class Letter:
    """Something that a rank sent for the operation with this number."""

    sender: int
    number: int
    tag: tuple[int, ...]
    arrays: Sequence[Any]


class Letters:
    """The letters of one epoch of a group."""

    def __init__(self) -> None:
        self._current = -1
        self._early: dict[int, list[Letter]] = {}

    def begin(self, number: int) -> list[Letter]:
        """An operation begins; what came for it before. All earlier ones are over."""
        self._current = number
        for old in [n for n in self._early if n < number]:
            del self._early[old]
        return self._early.pop(number, [])

    def deliver(self, letter: Letter) -> Letter | None:
        """The letter if it is for the operation that runs; it is kept if it is early."""
        if letter.number == self._current:
            return letter
        if self._current < letter.number <= self._current + MOST_AHEAD:
            self._early.setdefault(letter.number, []).append(letter)
        return None
