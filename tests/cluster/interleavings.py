"""Explores every order in which the parts of a small distributed system can do what they do.

A system is data: what may happen next, and what is so after it. Every state that can be reached is
visited once, whatever the ways to it, and checked; where nothing can happen any more, the end is
checked too. A failure tells the events that lead to it.
"""

from __future__ import annotations

import copy
import pickle
from collections import deque
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple, Protocol


class System(Protocol):
    """A distributed system as data."""

    def events(self) -> Sequence[Hashable]:
        """What may happen next, one of these; nothing at an end."""

    def do(self, event: Any) -> None:
        """One of them happens."""

    def check(self) -> None:
        """AssertionError where this state should not be."""

    def check_end(self) -> None:
        """AssertionError where it should not end like this."""


class Explored(NamedTuple):
    """How much there was: states, and those in which nothing can happen any more."""

    states: int
    ends: int


def explore(start: System, most: int = 100_000) -> Explored:
    """Visits all states of a system, which must be no more than `most`.

    AssertionError, with the events that led to it, where a check fails.
    """
    first = pickle.dumps(start)
    seen = {_key(start)}
    stack: list[tuple[bytes, tuple[Any, ...]]] = [(first, ())]
    ends = 0
    while stack:
        data, trace = stack.pop()
        system: System = pickle.loads(data)
        events = system.events()
        try:
            if not events:
                ends += 1
                system.check_end()
            for event in events:
                following: System = pickle.loads(data)
                trace_there = (*trace, event)
                following.do(event)
                following.check()
                key = _key(following)
                if key not in seen:
                    seen.add(key)
                    assert len(seen) <= most, f"there are more than {most} states"
                    stack.append((pickle.dumps(following), trace_there))
        except AssertionError as error:
            told = trace_there if events else trace
            raise AssertionError(f"after {list(told)}: {error}") from error
    return Explored(len(seen), ends)


def _key(system: Any) -> bytes:
    """The same for states that are equal, as a rule: others are visited again."""
    # Copied, so that it does not matter which objects are shared.
    return pickle.dumps(copy.copy(system).__dict__)


class Channels:
    """What is on its way between parts: in order from one to another, and in any order otherwise.

    What a part has sent before it died may arrive, or only the first of it.
    """

    def __init__(self) -> None:
        self.between: dict[tuple[Any, Any], deque[Any]] = {}

    def send(self, source: Any, target: Any, message: Any) -> None:
        """Something is on its way."""
        self.between.setdefault((source, target), deque()).append(message)

    def ready(self) -> list[tuple[Any, Any]]:
        """From whom to whom something can arrive, sorted."""
        return sorted((pair for pair, queue in self.between.items() if queue), key=repr)

    def take(self, pair: tuple[Any, Any]) -> Any:
        """The first that is on its way there arrives."""
        queue = self.between[pair]
        message = queue.popleft()
        if not queue:
            del self.between[pair]
        return message

    def lose(self, pair: tuple[Any, Any]) -> None:
        """What is on its way there is lost."""
        self.between.pop(pair, None)

    def lose_to(self, target: Any) -> None:
        """Nothing arrives at one that is dead."""
        for pair in [p for p in self.between if p[1] == target]:
            del self.between[pair]

    def has_from(self, source: Any) -> bool:
        """Whether something of one is on its way still."""
        return any(pair[0] == source for pair in self.between)
