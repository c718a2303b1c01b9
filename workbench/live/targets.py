"""The values that statistics are made of, and whose turn it is.

Most lie in memory as the step leaves them there. What compiled code keeps in registers has to be
computed again for whoever looks: half of what may be spent is saved up for that, and then goes into
several such values at once, because they share most of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from workbench.core.plan.node import Node

#: What statistics of a value are guessed to cost before they were made: seconds, and per byte.
_GUESSED_COST = 15e-6
_GUESSED_COST_OF_BYTE = 1 / 8e9
#: What computing values again may cost in one step, and what is worth to wait for, in seconds.
_MOST_SECONDS = 0.01
_WORTH_SECONDS = 0.003

#: Where a value can be looked at: a slot of the probe, or a negative number, and an index there.
Place = tuple[int, int]


class Target:
    """A value of the program, and the operations that give it.

    Args:
      place: where it can be looked at.
      size: its bytes, where they are known.
      operations: the places of the operations in the graph.
      needs: the steps that have to be computed again to have it.
      is_lasting: True where it never changes.
    """

    __slots__ = ("_is_lasting", "cost", "has_known_size", "needs", "operations", "place", "seen")

    def __init__(
        self,
        place: Place,
        size: int | None,
        operations: list[int],
        needs: frozenset[Node],
        is_lasting: bool,
    ) -> None:
        self.place = place
        self.operations = operations
        self.needs = needs
        self._is_lasting = is_lasting
        self.has_known_size = size is not None
        #: What its statistics cost, in seconds: first a guess, then what they did cost.
        self.cost = _GUESSED_COST + _GUESSED_COST_OF_BYTE * (size or 0)
        self.seen = False

    @property
    def is_settled(self) -> bool:
        """True for a constant that was looked at: it stays what it is."""
        return self.seen and self._is_lasting


class Turns:
    """Chooses what is looked at in each step, all in turn.

    Args:
      targets: what there is.
      cost: what computing steps again costs, in seconds.
    """

    def __init__(self, targets: Sequence[Target], cost: Callable[[Iterable[Node]], float]) -> None:
        self._cost = cost
        self._stored = _Cycle([t for t in targets if not t.needs])
        self._computed = _Cycle([t for t in targets if t.needs])
        self._needed = frozenset(n for target in self._computed.targets for n in target.needs)
        #: What of the credit is for values that are computed again.
        self._saved = 0.0

    def take(self, credit: float) -> list[Target]:
        """One that lies in memory, and more as far as the credit, in seconds, goes."""
        if not self._computed.targets:
            return self._stored.take(credit)
        available = max(credit, 0.0)
        self._saved = min(available, max(self._saved, (self._saved + available) / 2))
        chosen = self._stored.take(credit - self._saved)
        if self._saved >= self._worth():
            chosen += self._take_computed()
        return chosen

    def _worth(self) -> float:
        """What must be saved up before values are computed: it is enough for all, or for many."""
        statistics = sum(target.cost for target in self._computed.targets)
        return min(_WORTH_SECONDS, self._cost(self._needed) + statistics)

    def _take_computed(self) -> list[Target]:
        """As many as what was saved up is enough for; what several need is computed once."""
        chosen: list[Target] = []
        done: set[Node] = set()
        for target in self._computed.in_turn():
            if self._cost(target.needs) > _MOST_SECONDS:
                continue
            price = target.cost + self._cost(target.needs - done)
            if price > self._saved:
                self._computed.put_back()
                break
            self._saved -= price
            done |= target.needs
            chosen.append(target)
        return chosen


class _Cycle:
    """Targets that take turns."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self.targets = list(targets)
        self._turn = 0

    def in_turn(self) -> Iterator[Target]:
        """All that are not settled, once; the turn goes on with each that is taken."""
        for _ in self.targets:
            target = self.targets[self._turn]
            self._turn = (self._turn + 1) % len(self.targets)
            if not target.is_settled:
                yield target

    def put_back(self) -> None:
        """It is the last one's turn again."""
        self._turn = (self._turn - 1) % len(self.targets)

    def take(self, credit: float) -> list[Target]:
        """One, and more as far as the credit goes."""
        chosen: list[Target] = []
        for target in self.in_turn():
            credit -= target.cost
            if chosen and credit < 0:
                self.put_back()
                break
            chosen.append(target)
        return chosen
