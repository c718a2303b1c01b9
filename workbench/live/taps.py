"""Taps: the value of one tensor now, and its last samples, while a run goes on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.live.statistics import Statistics, statistics

_Array = np.ndarray[Any, Any]

#: Larger values are cut down to about this many elements before they are copied.
MOST_ELEMENTS = 1 << 16
_MOST_IMAGES = 16


class Sample(NamedTuple):
    """A tensor's value in one step.

    `array` is a copy. Of a value of more than 65,536 elements it has the first 16 along the first
    axis, where there are three or more axes, and then every second, fourth, ... along the longest
    axes; `shape` and `statistics` are those of the whole (None for what holds no numbers).
    """

    step: int
    array: _Array
    shape: tuple[int, ...]
    statistics: Statistics | None


class Tap:
    """The samples of one tensor; `run.tap(tensor)` and `Observer.tap` make it.

    One thread adds samples, any thread reads. `close()` ends it.
    """

    def __init__(self, tensor: Tensor, samples: int, close: Callable[[Tap], None]) -> None:
        if samples < 1:
            raise ValueError(f"samples must be at least 1, but got {samples}")
        self.tensor = tensor
        self._close = close
        self._lock = threading.Lock()
        self._latest: Sample | None = None
        self._steps: deque[int] = deque(maxlen=samples)
        self._values: deque[float] = deque(maxlen=samples)
        self._failure: Exception | None = None

    def latest(self) -> Sample | None:
        """The newest sample; None while there is none.

        Raises:
          OpError: the tensor cannot be computed in the steps of the run, and why.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        return self._latest

    @property
    def history(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The steps (int64) of the last samples, and their values (float64).

        A number's value is the number itself, that of an array the mean of its finite elements.
        """
        with self._lock:
            steps, values = list(self._steps), list(self._values)
        return np.array(steps, np.int64), np.array(values, np.float64)

    def close(self) -> None:
        """End the tap; what it has stays readable."""
        self._close(self)

    def take(self, step: int, value: Any) -> None:
        """Add a sample of a value that may change afterwards."""
        array = np.asarray(value)
        found = statistics(array)
        number = np.nan
        if found is not None:
            number = found.mean if array.ndim else float(np.real(array[()]))
        sample = Sample(step, cut(array).copy(), array.shape, found)
        with self._lock:
            self._latest = sample
            self._steps.append(step)
            self._values.append(number)

    def fail(self, error: Exception) -> None:
        """Note why there are no samples."""
        self._failure = error

    @property
    def failed(self) -> bool:
        """True where there are no samples, and `latest` says why."""
        return self._failure is not None


def cut(array: _Array) -> _Array:
    """The array, or a view of a part that shows what it is like and has few elements.

    >>> cut(np.zeros((64, 28, 28, 8))).shape
    (16, 14, 28, 8)
    """
    if array.size <= MOST_ELEMENTS:
        return array
    if array.ndim >= 3:
        array = array[:_MOST_IMAGES]
    while array.size > MOST_ELEMENTS:
        longest = max(range(array.ndim), key=lambda axis: array.shape[axis])
        array = array[(*[slice(None)] * longest, slice(None, None, 2))]
    return array
