"""Which elements of iterators belong to which batch, where several sessions share the batches.

A session that trains with others takes some batches and not others. Of each iterator a batch has so
many elements, one after the other, as a step takes: those of the batches between are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class ElementTurns:
    """The batch whose elements come now; as long as nobody shares them, all are one session's.

    >>> turns = ElementTurns()
    >>> turns.share({"data": 2}, {"data": 5})
    >>> turns.begin(3)
    >>> turns.number, turns.elements("data", 3)
    (1, range(11, 13))
    """

    def __init__(self) -> None:
        self._takes: Mapping[str, int] | None = None
        self._first: dict[str, int] = {}
        #: The batch that was begun last; None while what comes is of no batch.
        self.batch: int | None = None
        #: How often a batch was begun: the same one may be taken again.
        self.number = 0

    @property
    def is_shared(self) -> bool:
        """Whether others take some of the batches."""
        return self._takes is not None

    @property
    def first(self) -> Mapping[str, int]:
        """By the name of an iterator's operation: which element the first of batch 0 is."""
        return self._first

    def share(self, takes: Mapping[str, int], first: Mapping[str, int]) -> None:
        """From now on others take some of the batches.

        Args:
          takes: how many elements a step takes, by the names of the iterators' operations.
          first: which element the first of batch 0 is; 0 where it is left out.
        """
        self._takes, self._first = dict(takes), dict(first)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """What comes meanwhile is of no batch."""
        batch, self.batch = self.batch, None
        try:
            yield
        finally:
            self.batch = batch

    def begin(self, batch: int) -> None:
        """What comes belongs to this batch."""
        self.batch = batch
        self.number += 1

    def elements(self, iterator: str, batch: int) -> range:
        """The elements of a batch."""
        takes = 1 if self._takes is None else self._takes.get(iterator, 1)
        start = self._first.get(iterator, 0) + batch * takes
        return range(start, start + takes)
