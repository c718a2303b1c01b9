"""C functions that know calls of `Session.run` and do them alone."""

from __future__ import annotations

import itertools
from typing import Any

#: So many calls are known at a time, each with at most so many feeds.
_MOST_FRONTS = 8
_MOST_FRONT_FEEDS = 32


class Fronts:
    """The C functions of one session: each asks the one behind it about calls it does not know."""

    def __init__(self) -> None:
        #: Takes what `run` is given; NotImplemented or Ellipsis say that the call is unknown.
        self.call: Any = None
        self._fronts: list[Any] = []
        self._changes = -1

    def add(self, entry: Any, fetches: Any, keys: list[Any], changes: int) -> None:
        """Knows the calls with these fetches and feeds from now on, and asks first for them.

        `changes` is the state of the graph: what was known of an earlier one is forgotten.
        """
        if len(keys) > _MOST_FRONT_FEEDS:
            return
        front = entry.front(fetches, keys)
        if self._changes != changes:
            self._fronts.clear()
        self._fronts = [front, *self._fronts[: _MOST_FRONTS - 1]]
        for first, second in itertools.zip_longest(self._fronts, self._fronts[1:]):
            first.follow(second)
        self._changes = changes
        self.call = front.call

    def check(self, changes: int) -> None:
        """Asks nobody any more where the graph has changed."""
        if self._changes != changes:
            self.call = None

    def clear(self) -> None:
        """Forgets all calls."""
        self.call = None
        self._fronts.clear()
