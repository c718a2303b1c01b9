"""What a pass of a loop reads of lists and writes to them: data, for whoever puts it in arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.plan.node import Value

#: What is known of an element. Accesses forbid, clear and set some of these bits.
UNWRITTEN, READ, CLEARED, WRITTEN = 1, 2, 4, 8


class Place(NamedTuple):
    """Where an element is: `start + step * number`.

    What counts is what `number` is in a pass or, without one, how many passes there were; then
    `start` counts from the end that the list had before the loop.
    """

    number: Value | None
    start: int = 0
    step: int = 1


class Access(NamedTuple):
    """One element of a list in a pass.

    Args:
      feed: the number of the value, fed to the body, that is the list.
      read: the number of the fed value that the element is, if it is read.
      written: the number of the result that becomes the element, if it is written.
      clears: whether it is as if never written after the pass.
      adds: whether what is written has what was there in it.
    """

    feed: int
    place: Place
    read: int | None
    written: int | None
    clears: bool
    adds: bool


class RowList(NamedTuple):
    """A list: what its elements are like, and how its length changes in a pass."""

    dtype: Any
    shape: tuple[int, ...]
    #: Elements that are pushed in a pass, less those that are popped.
    growth: int
    #: Whether writing behind the end makes it longer.
    resizes: bool
    accesses: tuple[Access, ...]

    @property
    def is_written(self) -> bool:
        """True where a pass changes its elements."""
        return any(a.written is not None or a.clears for a in self.accesses)
