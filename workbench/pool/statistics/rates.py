"""Rates from counters that only grow, asked for now and then."""

from __future__ import annotations

from collections.abc import Mapping


class Rates:
    """How much counters grow in a second, between two looks at them.

    >>> from workbench.pool.statistics.rates import Rates
    >>> rates = Rates()
    >>> rates.update("first", 10.0, {"bytes": 500})
    {}
    >>> rates.update("first", 10.5, {"bytes": 900})
    {'bytes': 800.0}
    >>> rates.update("another process", 11.0, {"bytes": 0})
    {}
    """

    def __init__(self) -> None:
        self._whose: object = None
        self._time = 0.0
        self._counts: dict[str, float] = {}
        self._rates: dict[str, float] = {}

    def update(self, whose: object, time: float, counts: Mapping[str, float]) -> dict[str, float]:
        """The rates since the last look; none of the first look at a process.

        Args:
          whose: tells the process from one before.
          time: when it was looked, in seconds of the process's clock.
          counts: the counters.
        """
        seconds = time - self._time
        if whose != self._whose:
            self._rates = {}
        elif seconds <= 0:
            return self._rates
        else:
            self._rates = {
                name: max(count - self._counts.get(name, 0.0), 0.0) / seconds
                for name, count in counts.items()
            }
        self._whose, self._time, self._counts = whose, time, dict(counts)
        return self._rates
