"""What the clock of another process shows by ours, from the times of questions and answers."""

from __future__ import annotations

#: Clocks of one machine are the same; so far apart they may seem, for asking takes time.
_SAME_SECONDS = 0.25


class Clock:
    """How far another process's monotonic clock is from ours.

    The answer to a question was given between the two: the shorter that took, the better is known
    when. Processes of one machine have one clock.

    >>> from workbench.pool.statistics.clocks import Clock
    >>> clock = Clock()
    >>> clock.answered(asked=100.0, heard=100.5, theirs=7000.0)
    >>> clock.answered(asked=101.0, heard=101.25, theirs=7001.0)
    >>> clock.answered(asked=102.0, heard=110.0, theirs=7009.0)
    >>> 7001.0 - clock.ahead
    101.125
    """

    def __init__(self) -> None:
        self._took = float("inf")
        #: How many seconds theirs is ahead of ours.
        self.ahead = 0.0

    def answered(self, asked: float, heard: float, theirs: float) -> None:
        """Takes in an answer: when it was asked for and heard by our clock, and their time."""
        if heard - asked < self._took:
            self._took = heard - asked
            ahead = theirs - (asked + heard) / 2
            is_same = abs(ahead) <= max(self._took / 2, 0.0) and self._took < _SAME_SECONDS
            self.ahead = 0.0 if is_same else ahead
