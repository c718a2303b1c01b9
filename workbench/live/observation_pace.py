"""When the next step is observed: as often as somebody wants it, and as it can be afforded."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from workbench.core.runtime.probe import work_clock
from workbench.live.budget import Budget
from workbench.live.contention import Contention

#: Steps observed a second, at most.
MOST_RATE = 10.0
#: An observed step is worth its cost only with statistics of some operations, in seconds.
_LEAST_LOOK = 50e-6
#: Steps that follow a look are slower, too, for what was in the caches: measured, as a share of it.
_AFTERMATH = 1.1
#: Seconds until it is asked again whether the observed program is written.
_UNTIL_READY = 0.02
#: So many steps are entered into the account at once, at most.
_MOST_NOTED = 4096


class Pace:
    """Says when a step should be an observed one, and keeps the account of what that costs.

    The thread that runs the steps uses it; `want` is for any thread.

    >>> pace = Pace()
    >>> pace.due(), pace.want(10.0, looks=True), pace.due()
    (False, None, False)
    >>> pace.note(0.01)  # a step took 10 ms
    >>> pace.due()
    True
    """

    def __init__(self) -> None:
        self._budget = Budget()
        self._contention = Contention()
        #: How long the last steps took; they are entered into the account together.
        self._noted: deque[float] = deque(maxlen=_MOST_NOTED)
        #: To be told how long a step took that was run without observing it, in seconds: an
        #: attribute, because calling it costs a third of calling a method.
        self.note: Callable[[float], None] = self._noted.append
        self._is_wanted = self._looks = False
        self._interval = 1 / MOST_RATE
        self._next = math.inf

    def want(self, rate: float, looks: bool) -> None:
        """From now on so many steps a second are to be observed; 0: none.

        Args:
          looks: whether values are looked at in them.
        """
        if rate and not self._is_wanted:
            self._budget.begin()
        self._interval = 1 / (rate or MOST_RATE)
        self._next = 0.0 if rate else math.inf
        self._looks, self._is_wanted = looks, rate > 0

    @property
    def cost(self) -> float:
        """The share of the last seconds that went into observing."""
        return self._budget.cost

    def due(self) -> bool:
        """True where the next step should be an observed one."""
        if time.perf_counter() < self._next or not self._is_wanted:
            return False
        self._settle()
        return self._budget.is_known and self._budget.credit >= self._needed()

    def affordable(self) -> float:
        """How long may be looked at values in a step, in seconds."""
        return self._budget.credit - self._budget.excess

    def defer(self) -> None:
        """The step that was due cannot be observed yet."""
        self._next = time.perf_counter() + _UNTIL_READY

    def observed(self, took: float, since: float, expected: float, is_first: bool = False) -> None:
        """A step was observed: says when the next one comes.

        Args:
          took: how long the step itself took, in seconds.
          since: when what is done beside it began, by the `work_clock`, as if the thread had done
            nothing else meanwhile.
          expected: how much longer than others the step must have taken.
          is_first: True for the first step of a program.
        """
        self._settle()
        # Steps are timed as they are; what is timed as work takes longer on a busy machine.
        factor = self._contention.factor()
        spent = factor * (_AFTERMATH * (work_clock() - since))
        self._budget.observed(took, spent, factor * expected, is_first)
        now = time.perf_counter()
        # Steps begin where they begin: being late once does not make all later ones late.
        planned = max(self._next + self._interval, now - self._interval)
        self._next = max(planned, now + self._budget.wait(self._needed()))

    def observed_rest(self, since: float, expected: float) -> None:
        """The rest of an observed step was observed, too."""
        spent = _AFTERMATH * (work_clock() - since) + expected
        self._budget.rest(self._contention.factor() * spent)

    def _settle(self) -> None:
        """Enters what was noted into the account."""
        noted = self._noted
        self._budget.plain(*[noted.popleft() for _ in range(len(noted))])

    def _needed(self) -> float:
        """What an observed step costs at least, in seconds."""
        looks = self._looks
        return self._budget.excess * (1.5 if looks else 1.0) + (_LEAST_LOOK if looks else 0.0)
