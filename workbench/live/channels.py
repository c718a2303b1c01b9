"""What is known of each operation of a graph: one number in each channel, NaN where nothing is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from workbench.live.statistics import Statistics

_Floats = np.ndarray[Any, np.dtype[np.float32]]

#: Channels that every observed step fills, and those that it fills for some operations.
TIMINGS = ("time", "memory", "calls")
#: Passes of loops and the share of times that conditions held, in the last observed step.
WAYS = ("passes", "taken")
STATISTICS = ("mean", "deviation", "zeros", "nonfinite")
CHANNELS = (*TIMINGS, *STATISTICS, *WAYS)

#: How much the newest step counts in the time of an operation: single steps are erratic.
_NEWEST = 0.3


def checked_channels(channels: Iterable[str]) -> tuple[str, ...]:
    """The channels, each once.

    Raises:
      ValueError: one of them does not exist, or there are none.
    """
    found = tuple(dict.fromkeys([channels] if isinstance(channels, str) else channels))
    unknown = [name for name in found if name not in CHANNELS]
    if unknown or not found:
        got = ", ".join(map(repr, unknown)) or "none"
        raise ValueError(f"Channels are {', '.join(CHANNELS)}; got {got}")
    return found


class Channels:
    """The numbers of all channels, by the operations' places in the graph.

    One thread writes; others read copies. Each number is whole, and the newest that is known.
    """

    def __init__(self) -> None:
        self._arrays = {name: np.empty(0, np.float32) for name in CHANNELS}

    def grow(self, count: int) -> None:
        """Make room for `count` operations; of new ones nothing is known."""
        for name, array in self._arrays.items():
            if array.size < count:
                unknown = np.full(count - array.size, np.nan, np.float32)
                self._arrays[name] = np.concatenate([array, unknown])

    def time(self, operations: Any, seconds: Any) -> None:
        """Note how long operations took, each listed once."""
        known = self._arrays["time"]
        before = known[operations]
        new = before + _NEWEST * (seconds - before)
        known[operations] = np.where(np.isnan(before), seconds, new)

    def put(self, channel: str, operations: Any, values: Any) -> None:
        """Note values of one channel."""
        self._arrays[channel][operations] = values

    def describe(self, operations: Iterable[int], found: Statistics) -> None:
        """Note the statistics of what several operations give."""
        mean, deviation, zeros, nonfinite = (self._arrays[name] for name in STATISTICS)
        for operation in operations:
            mean[operation] = found.mean
            deviation[operation] = found.deviation
            zeros[operation] = found.zeros
            nonfinite[operation] = found.nonfinite

    def copies(self, channels: Iterable[str]) -> dict[str, _Floats]:
        """Copies of some channels."""
        return {name: self._arrays[name].copy() for name in channels}
