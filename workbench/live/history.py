"""What a run has recorded: its steps and the tracked values of each, kept by one thread and read
by any.

Columns grow by doubling, and a row counts only once all of it is written, so readers need no lock:
they see the rows up to a count, and rows up to a count never change. Dropping rows (a rewind)
starts new columns, so whoever still holds the old ones keeps what they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

_Floats = np.ndarray[Any, np.dtype[np.float64]]
_Steps = np.ndarray[Any, np.dtype[np.int64]]
_FIRST_ROWS = 1024


class Excerpt(NamedTuple):
    """Some rows of a history: steps (int64 [rows]) and values (float64 [names, rows])."""

    steps: _Steps
    values: _Floats


class _Columns:
    """The columns of some capacity, and how many of their rows are written."""

    __slots__ = ("capacity", "count", "last_step", "step_slots", "steps", "value_slots", "values")

    def __init__(self, names: int, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.last_step: int | None = None
        self.steps: _Steps = np.empty(capacity, np.int64)
        self.values: _Floats = np.empty((names, capacity), np.float64)
        # Writing one element through a memory view takes half the time of writing it to the array.
        self.step_slots = memoryview(self.steps.data)
        self.value_slots = [memoryview(row.data) for row in self.values]

    def copied(self, rows: int, capacity: int) -> _Columns:
        """New columns with the first rows of these."""
        new = _Columns(len(self.values), capacity)
        new.steps[:rows] = self.steps[:rows]
        new.values[:, :rows] = self.values[:, :rows]
        new.count = rows
        new.last_step = int(self.steps[rows - 1]) if rows else None
        return new


class History:
    """The recorded steps of a run and, for each tracked name, its values.

    One thread appends; any thread reads, without locks. Names are fixed.

    Args:
      names: the tracked names, in the order in which values are appended.

    >>> history = History(["loss", "accuracy"])
    >>> for step in range(1, 4):
    ...     history.append(step, (1 / step, step / 10))
    >>> history.count, history.last
    (3, (3, {'loss': 0.3333333333333333, 'accuracy': 0.3}))
    >>> history.steps, history["accuracy"]
    (array([1, 2, 3]), array([0.1, 0.2, 0.3]))
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._rows = {name: row for row, name in enumerate(self.names)}
        if len(self._rows) != len(self.names):
            raise ValueError(f"Tracked names must differ from each other, but got {self.names!r}")
        self._columns = _Columns(len(self.names), _FIRST_ROWS)
        #: What happened to the run, oldest first; the run adds to it.
        self.events: list[Any] = []

    # -- writing: one thread -----------------------------------------------------------------

    def append(self, step: int, values: Sequence[Any]) -> None:
        """Record a step, which must be later than the last one, with a value for each name.

        Raises:
          ValueError: the step is not later, or there is another number of values than of names.
        """
        columns = self._columns
        row = columns.count
        if row == columns.capacity:
            columns = columns.copied(row, 2 * row)
        last = columns.last_step
        if last is not None and step <= last:
            raise ValueError(f"Step {step} cannot be recorded after step {last}")
        for slots, value in zip(columns.value_slots, values, strict=True):
            slots[row] = value
        columns.step_slots[row] = step
        columns.last_step = step
        columns.count = row + 1
        self._columns = columns

    def extend(self, steps: Any, values: Any) -> None:
        """Record many steps at once: steps [rows] and values [names, rows].

        Raises:
          ValueError: the steps do not rise, or the shapes do not fit.
        """
        steps = np.asarray(steps, np.int64)
        values = np.asarray(values, np.float64)
        if steps.ndim != 1 or values.shape != (len(self.names), steps.size):
            raise ValueError(
                f"Expected values of shape ({len(self.names)}, {steps.size}) for "
                f"{steps.size} steps, but got {values.shape}"
            )
        if not steps.size:
            return
        columns = self._columns
        last = columns.last_step
        if (last is not None and steps[0] <= last) or bool((np.diff(steps) <= 0).any()):
            raise ValueError("Steps can only be recorded in rising order")
        start, stop = columns.count, columns.count + steps.size
        if stop > columns.capacity:
            columns = columns.copied(start, max(stop, 2 * columns.capacity))
        columns.steps[start:stop] = steps
        columns.values[:, start:stop] = values
        columns.last_step = int(steps[-1])
        columns.count = stop
        self._columns = columns

    def truncate(self, step: int) -> None:
        """Drop all that was recorded after `step`."""
        columns = self._columns
        rows = int(np.searchsorted(columns.steps[: columns.count], step, side="right"))
        if rows < columns.count:
            self._columns = columns.copied(rows, max(_FIRST_ROWS, rows + rows // 2))

    def replace(self, other: History, events: Iterable[Any]) -> None:
        """Takes over all that another history of the same names has recorded, and these events.

        Raises:
          ValueError: the names differ.
        """
        if other.names != self.names:
            raise ValueError(f"Expected a history of {self.names!r}, but got {other.names!r}")
        columns = other._columns
        self._columns = columns.copied(columns.count, columns.capacity)
        self.events[:] = events

    # -- reading: any thread -----------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many steps are recorded."""
        return self._columns.count

    def __len__(self) -> int:
        return self._columns.count

    @property
    def steps(self) -> _Steps:
        """The recorded steps, as an array that cannot be written to."""
        columns = self._columns
        return _frozen(columns.steps[: columns.count])

    def __getitem__(self, name: str) -> _Floats:
        """The values of a name, one for each of `steps` as it was at this moment or later."""
        row = self._rows.get(name)
        if row is None:
            known = ", ".join(self.names) or "nothing"
            raise KeyError(f"{name!r} is not tracked by this run; it tracks {known}")
        columns = self._columns
        return _frozen(columns.values[row, : columns.count])

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    @property
    def last(self) -> tuple[int, dict[str, float]] | None:
        """The last recorded step and its values by name; None before the first."""
        columns = self._columns
        row = columns.count - 1
        if row < 0:
            return None
        values = columns.values[:, row].tolist()
        return int(columns.steps[row]), dict(zip(self.names, values, strict=True))

    def since(self, count: int) -> Excerpt:
        """The rows after the first `count`: what a reader that has seen `count` rows lacks."""
        return self._excerpt(self._columns, max(0, count), None)

    def prefix(self, step: int) -> History:
        """A history of its own with all that was recorded up to `step`."""
        columns = self._columns
        rows = int(np.searchsorted(columns.steps[: columns.count], step, side="right"))
        new = History(self.names)
        new._columns = columns.copied(rows, max(_FIRST_ROWS, rows + rows // 2))
        return new

    def thinned(self, points: int, first: int | None = None, last: int | None = None) -> Excerpt:
        """At most `points` rows between the steps `first` and `last` that show the curve's shape.

        Where there are more, they are divided into stretches of equal length; of each the rows of
        the least and the greatest value of the first name stay, and the last row always. Values
        that are NaN are neither least nor greatest, unless a stretch has no other.

        >>> history = History(["loss"])
        >>> for step in range(1000):
        ...     history.append(step, [float(step == 500)])
        >>> history.thinned(5)
        Excerpt(steps=array([  0, 500, 501, 999]), values=array([[0., 1., 0., 0.]]))
        """
        if points < 1:
            raise ValueError(f"points must be at least 1, but got {points}")
        columns = self._columns
        steps = columns.steps[: columns.count]
        start = 0 if first is None else int(np.searchsorted(steps, first, side="left"))
        stop = steps.size if last is None else int(np.searchsorted(steps, last, side="right"))
        return thinned(self._excerpt(columns, start, stop), points)

    def _excerpt(self, columns: _Columns, start: int, stop: int | None) -> Excerpt:
        count = columns.count
        stop = count if stop is None else min(stop, count)
        rows = slice(start, max(start, stop))
        return Excerpt(_frozen(columns.steps[rows]), _frozen(columns.values[:, rows]))


def thinned(excerpt: Excerpt, points: int) -> Excerpt:
    """At most `points` rows of an excerpt, as :meth:`History.thinned` chooses them."""
    steps, values = excerpt
    if steps.size <= points:
        return excerpt
    if not len(values):
        rows = np.unique(np.linspace(0, steps.size - 1, points).astype(np.int64)[::-1])
        return Excerpt(steps[rows], values[:, rows])
    rows = _extremes(values[0], (points - 1) // 2)
    return Excerpt(steps[rows], values[:, rows])


def _extremes(values: _Floats, stretches: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The rows of the extremes of each stretch and the last row, in order."""
    last = np.array([values.size - 1])
    if not stretches:
        return last
    least = greatest = values
    missing = np.isnan(values)
    if missing.any():
        least = np.where(missing, np.inf, values)
        greatest = np.where(missing, -np.inf, values)
    length = -(-values.size // stretches)
    whole = values.size // length * length
    found = [last]
    starts = np.arange(0, whole, length)
    found.append(least[:whole].reshape(-1, length).argmin(axis=1) + starts)
    found.append(greatest[:whole].reshape(-1, length).argmax(axis=1) + starts)
    if whole < values.size:
        found.append(whole + least[whole:].argmin(axis=0, keepdims=True))
        found.append(whole + greatest[whole:].argmax(axis=0, keepdims=True))
    return np.unique(np.concatenate(found))


def _frozen(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.flags.writeable = False
    return array
