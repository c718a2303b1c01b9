"""What observing a run may cost, and what it does cost: a share of the time of its steps.

Each plain step earns a share of its time; observing spends from what was earned. Some credit is
there from the start, so that whoever begins to look sees something at once.

What is done beside a step (statistics, book-keeping) is timed exactly, as work of its thread. How
much longer the step itself takes cannot be told from one step, since steps differ by more than
that; it is what the probe's lines are known to cost, or more, as far as many observed steps prove.
"""

from __future__ import annotations

import math
import statistics
from collections import deque

#: The share of the steps' time that may go into observing. Two hundredths are promised; what is not
#: seen here, such as caches that look elsewhere and threads that read the results, needs room.
SHARE = 0.008
#: Seconds that may be spent before they are earned, each time someone begins to look.
FIRST_CREDIT = 0.002
#: Seconds that can be saved up: a long quiet time does not buy a long slow one.
MOST_CREDIT = 0.02

_REMEMBERED = 31
#: So many observed steps prove something at least.
_PROVING = 5
#: The reported cost is that of about this many seconds of steps.
_WINDOW = 10.0
#: From the median distance to the median to the standard error of the median of one value.
_ERROR_OF_MEDIAN = 1.48 * 1.25


class Budget:
    """Counts what steps earn and what observing costs. Times are in seconds.

    >>> budget = Budget()
    >>> for _ in range(100):
    ...     budget.plain(0.01)
    >>> budget.observed(0.0102, apart=0.0028, expected=0.0002)
    >>> round(budget.cost, 4), round(budget.credit, 4)
    (0.003, 0.0071)
    """

    def __init__(self) -> None:
        #: What may be spent now.
        self.credit = FIRST_CREDIT
        self._plain: deque[float] = deque(maxlen=_REMEMBERED)
        self._longer: deque[float] = deque(maxlen=_REMEMBERED)
        #: How much longer an observed step takes, what is done beside it apart.
        self.excess = 0.0
        self._elapsed = 0.0
        self._spent = 0.0

    def plain(self, *seconds: float) -> None:
        """Steps were run that nobody observed."""
        total = sum(seconds)
        self._plain.extend(seconds[-_REMEMBERED:])
        self._elapsed += total
        self.credit = min(self.credit + SHARE * total, self._most)

    def observed(
        self, seconds: float, apart: float, expected: float, is_first: bool = False
    ) -> None:
        """A step was observed.

        Args:
          seconds: how long the step itself took.
          apart: how long all took that was done beside it.
          expected: how much longer than others the step must have taken.
          is_first: True for the first step of a program, which tells nothing about others: its code
            and its memory are new.
        """
        usual = self.usual or seconds
        if not is_first:
            self._longer.append(seconds - usual)
        self.excess = max(expected, self._proven())
        spent = apart + self.excess
        if len(self._longer) == _PROVING and not is_first:
            # What is proven only now was there before.
            spent += (_PROVING - 1) * (self.excess - expected)
        self._elapsed += usual + spent
        self._spent += spent
        self.credit = min(self.credit + SHARE * usual - spent, self._most)
        if self._elapsed > _WINDOW:
            self._elapsed /= 2
            self._spent /= 2

    def rest(self, spent: float) -> None:
        """The rest of an observed step was observed too, for so much."""
        self._elapsed += spent
        self._spent += spent
        self.credit -= spent

    def _proven(self) -> float:
        """How much longer observed steps take, almost surely."""
        if not self._plain or len(self._longer) < _PROVING:
            return 0.0
        usual = self.usual
        scatter = statistics.median(abs(seconds - usual) for seconds in self._plain)
        error = _ERROR_OF_MEDIAN * scatter
        error *= math.sqrt(1 / len(self._longer) + 1 / len(self._plain))
        return statistics.median(self._longer) - 2 * error

    def begin(self) -> None:
        """Someone begins to look."""
        self.credit = max(self.credit, FIRST_CREDIT)

    @property
    def _most(self) -> float:
        # What costs more than is usually saved up must be affordable now and then all the same.
        return max(MOST_CREDIT, 2 * self.excess)

    @property
    def usual(self) -> float:
        """How long a step takes that nobody observes; 0.0 while it is not known."""
        return statistics.median(self._plain) if self._plain else 0.0

    @property
    def is_known(self) -> bool:
        """True once a plain step was seen: without, nobody can say what observing costs."""
        return bool(self._plain)

    @property
    def cost(self) -> float:
        """The share of the last seconds that went into observing."""
        return self._spent / self._elapsed if self._elapsed else 0.0

    def wait(self, needed: float) -> float:
        """How long steps must go on until `needed` can be spent."""
        return max(0.0, needed - self.credit) / SHARE
