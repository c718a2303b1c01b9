"""How long the steps of a run take."""

from __future__ import annotations


class Stopwatch:
    """The time spent on steps, and how many go into a second now.

    >>> watch = Stopwatch()
    >>> watch.begin(now=10.0, step=0)
    >>> watch.count(now=12.0, step=8)
    >>> watch.seconds, watch.rate
    (2.0, 4.0)
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        #: Steps a second; 0 where nothing is known yet.
        self.rate = 0.0
        self._mark = (0.0, 0)

    def begin(self, now: float, step: int) -> None:
        """Steps are run from now on."""
        self._mark = (now, step)

    def count(self, now: float, step: int) -> None:
        """So many steps are done by now."""
        since, before = self._mark
        if now - since > 0 and step > before:
            rate = (step - before) / (now - since)
            # Half a second is what the eye takes for now.
            share = min(1.0, (now - since) / 0.5) if self.rate else 1.0
            self.rate += share * (rate - self.rate)
        self.seconds += now - since
        self._mark = (now, step)
