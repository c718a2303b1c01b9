"""Which of the others' variables a replica averages its own with, and when, as a state machine.

Nobody waits as long as nobody is too far behind: a replica mixes in what it has of the others, the
newest of each, and each of these only once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Mixing:
    """The variables that came from the other replicas of an epoch.

    Args:
      epoch: what comes from another one is dropped.
      others: the other replicas.
      period: how many steps a replica takes between two times at which it mixes.
      staleness: it waits where it has mixed so many times more than the slowest; None: never.
    """

    def __init__(
        self, epoch: int, others: Iterable[str], period: int, staleness: int | None
    ) -> None:
        self.epoch = epoch
        self._period, self._staleness = period, staleness
        self._steps = dict.fromkeys(others, 0)
        #: How many steps each has taken, where it told without its variables.
        self._told: dict[str, int] = {}
        self._news: dict[str, Any] = {}
        self._most = 0
        self.own_steps = 0

    def stepped(self) -> bool:
        """A step of this replica is over; whether it is time to send its variables and to mix."""
        self.own_steps += 1
        return self.own_steps % self._period == 0

    def came(self, epoch: int, member: str, steps: int, values: Any) -> bool:
        """What another replica had after so many steps of its own; whether that is news."""
        if epoch != self.epoch or steps <= self._steps.get(member, steps):
            return False
        self._steps[member] = steps
        self._most = max(self._most, steps)
        self._news[member] = values
        return True

    def told(self, epoch: int, member: str, steps: int) -> None:
        """Another replica says that it has taken so many steps, without its variables."""
        if epoch == self.epoch and member in self._steps:
            self._told[member] = max(steps, self._told.get(member, 0))
            self._most = max(self._most, steps)

    def is_near(self, left: int) -> bool:
        """Whether so many steps of all may be over before anybody mixes: others are to be told of
        each step then.

        >>> mixing = Mixing(1, ["a"], period=8, staleness=None)
        >>> mixing.is_near(33), mixing.is_near(32), Mixing(1, [], 8, None).is_near(2)
        (False, True, False)
        """
        return bool(self._steps) and left <= 2 * self._period * (1 + len(self._steps))

    def take(self) -> list[Any]:
        """What is to be mixed in, in the order of the replicas; it is no news after this."""
        found = [self._news[member] for member in self._steps if member in self._news]
        self._news.clear()
        return found

    def behind(self) -> list[str]:
        """The replicas that this one waits for."""
        if self._staleness is None:
            return []
        least = self.own_steps - self._staleness * self._period
        return [member for member, steps in self._steps.items() if steps < least]

    def lost(self, member: str) -> None:
        """A replica is gone: nobody waits for it."""
        self._steps.pop(member, None)
        self._told.pop(member, None)
        self._news.pop(member, None)

    @property
    def all_steps(self) -> int:
        """The steps of all replicas in this epoch, as far as this one knows.

        >>> mixing = Mixing(1, ["a"], period=4, staleness=None)
        >>> mixing.came(1, "a", 4, None), mixing.told(1, "a", 6), mixing.all_steps
        (True, None, 6)
        """
        others = (max(steps, self._told.get(m, 0)) for m, steps in self._steps.items())
        return self.own_steps + sum(others)

    @property
    def furthest(self) -> int:
        """The most steps that any of them has taken in this epoch, as far as this one knows.

        >>> mixing = Mixing(1, ["a"], period=2, staleness=None)
        >>> mixing.came(1, "a", 4, None), mixing.lost("a"), mixing.furthest
        (True, None, 4)
        """
        return max(self._most, self.own_steps)
