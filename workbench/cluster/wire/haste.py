"""Looking for what comes for a moment, before going to sleep for it.

A thread that sleeps takes tens of microseconds to run again, on an idle processor most of all. What
comes within a moment is taken sooner by who looks again and again meanwhile. That is done where it
has paid off lately: who waits for longer leaves the processor to others.
"""

from __future__ import annotations

import os
import time
from typing import Protocol

#: For how long it is looked, in seconds: about as long as a small answer takes to come.
LOOK_SECONDS = 1e-4
#: How much the last time counts, and from which share of successes on it is done.
_WEIGHT, _ENOUGH = 0.25, 0.5
#: Where it does not pay off it is tried again after so many waits.
_TRY_AGAIN = 64

#: What a descriptor is, and whether it can be read and written.
Found = list[tuple[int, bool, bool]]


class Waits(Protocol):
    """What is looked at."""

    def wait(self, seconds: float) -> Found:
        """What has come, after so long at the latest."""


class Haste:
    """Waits of one thread at a time; `processors` are those that the process may use."""

    def __init__(self, processors: int | None = None) -> None:
        if processors is None:
            has_some = hasattr(os, "sched_getaffinity")
            processors = len(os.sched_getaffinity(0)) if has_some else os.cpu_count() or 1
        # Whoever is to answer needs another one.
        self._may_look = processors > 1
        self._share, self._waits = 1.0, 0

    def wait(self, watch: Waits, seconds: float) -> Found:
        """What has come, after so long at the latest."""
        self._waits += 1
        if self._may_look and (self._share >= _ENOUGH or self._waits % _TRY_AGAIN == 0):
            found = self._look(watch, min(seconds, LOOK_SECONDS))
            self._share += (bool(found) - self._share) * _WEIGHT
            if found:
                return found
        return watch.wait(seconds)

    @staticmethod
    def _look(watch: Waits, seconds: float) -> Found:
        until = time.perf_counter() + seconds
        while True:
            found = watch.wait(0.0)
            if found or time.perf_counter() >= until:
                return found
