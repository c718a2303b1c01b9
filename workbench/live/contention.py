"""How much longer work takes because other programs want the processor, too."""

from __future__ import annotations

from contextlib import suppress

#: Linux tells of each thread how long it ran and how long it waited to run, in nanoseconds.
_COUNTERS = "/proc/thread-self/schedstat"
#: A machine that is busier than this is as good as this one.
_MOST = 20.0


class Contention:
    """Compares what a thread works with what goes by meanwhile; always used by the same thread.

    >>> contention = Contention()
    >>> 1.0 <= contention.factor() <= 20.0
    True
    """

    def __init__(self) -> None:
        self._before = (0, 0)

    def factor(self) -> float:
        """By how much the work since the last call took longer than on a machine of its own.

        1.0 where the system does not tell. What the thread waited for by its own will, such as
        data, does not count.
        """
        worked = waited = 0
        with suppress(OSError, ValueError, IndexError), open(_COUNTERS, "rb") as file:
            counters = file.read().split()
            worked, waited = int(counters[0]), int(counters[1])
        before, self._before = self._before, (worked, waited)
        worked, waited = worked - before[0], waited - before[1]
        if worked <= 0 or waited <= 0:  # another thread's numbers, or none
            return 1.0
        return min(1 + waited / worked, _MOST)
