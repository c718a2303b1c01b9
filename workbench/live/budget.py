"""What observing a run may cost, and what it does cost: a share of the time of its steps.

Each plain step earns a share of its time; observing spends from what was earned. Some credit is
there from the start, so that whoever begins to look sees something at once.
"""

from __future__ import annotations

import statistics
from collections import deque

#: The share of the steps' time that may go into observing.
SHARE = 0.02
#: Seconds that may be spent before they are earned, each time someone begins to look.
FIRST_CREDIT = 0.005
#: Seconds that can be saved up: a long quiet time does not buy a long slow one.
MOST_CREDIT = 0.02

_REMEMBERED_STEPS = 31
_REMEMBERED_SAMPLES = 9
#: The reported cost is that of about this many seconds of steps.
_WINDOW = 10.0


class Budget:
    """Counts what steps earn and what observing costs. Times are in seconds.

    >>> budget = Budget()
    >>> for _ in range(100):
    ...     budget.plain(0.01)
    >>> budget.observed(0.013, apart=0.001)
    >>> round(budget.cost, 4), round(budget.credit, 4)
    (0.003, 0.0172)
    """

    def __init__(self) -> None:
        #: What may be spent now.
        self.credit = FIRST_CREDIT
        self._plain: deque[float] = deque(maxlen=_REMEMBERED_STEPS)
        self._excess: deque[float] = deque(maxlen=_REMEMBERED_SAMPLES)
        self._elapsed = 0.0
        self._spent = 0.0

    def plain(self, seconds: float) -> None:
        """A step was run that nobody observed."""
        self._plain.append(seconds)
        self._elapsed += seconds
        credit = self.credit + SHARE * seconds
        self.credit = credit if credit < MOST_CREDIT else MOST_CREDIT

    def observed(self, seconds: float, apart: float) -> None:
        """A step was observed: how long it took in all, and how much of that was statistics."""
        usual = self.usual or seconds
        # Steps vary by more than observing them costs: the median of some is what it costs.
        self._excess.append(seconds - apart - usual)
        spent = apart + self.excess
        self._elapsed += usual + spent
        self._spent += spent
        self.credit = min(self.credit + SHARE * usual - spent, MOST_CREDIT)
        if self._elapsed > _WINDOW:
            self._elapsed /= 2
            self._spent /= 2

    def begin(self) -> None:
        """Someone begins to look."""
        self.credit = max(self.credit, FIRST_CREDIT)

    @property
    def usual(self) -> float:
        """How long a step takes that nobody observes; 0.0 while it is not known."""
        return statistics.median(self._plain) if self._plain else 0.0

    @property
    def excess(self) -> float:
        """How much longer an observed step takes, statistics apart."""
        return max(0.0, statistics.median(self._excess)) if self._excess else 0.0

    @property
    def cost(self) -> float:
        """The share of the last seconds that went into observing."""
        return self._spent / self._elapsed if self._elapsed else 0.0

    def wait(self, needed: float) -> float:
        """How long steps must go on until `needed` can be spent."""
        return max(0.0, min(needed, MOST_CREDIT) - self.credit) / SHARE
