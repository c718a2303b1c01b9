"""What each record waits for: what wrote that it reads, and who else used memory that it writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from workbench.core.fusion.places import Kind, Storage


class Access(NamedTuple):
    """A use of a piece of memory."""

    storage: Storage
    is_written: bool


class Waits:
    """Follows the uses of memory through the records of a table.

    Pieces of memory share places in the arena one after the other: the first use of one waits for
    the last uses of those that were there before.
    """

    def __init__(self) -> None:
        self._written: dict[Storage, int] = {}
        self._used: dict[Storage, int] = defaultdict(int)

    def before(self, accesses: Sequence[Access], offsets: Mapping[Storage, int]) -> int:
        """How many records must be complete before one with these accesses starts."""
        waits = 0
        for storage, is_written in accesses:
            waits = max(waits, self._written.get(storage, 0))
            if is_written:
                waits = max(waits, self._used[storage])
            if storage.kind is Kind.ARENA and self._used[storage] == 0:
                waits = max(waits, self._last_there(storage, offsets))
        return waits

    def note(self, accesses: Sequence[Access], first: int, last: int) -> None:
        """Records [first, last) have these accesses."""
        for storage, is_written in accesses:
            self._used[storage] = last
            if is_written:
                self._written[storage] = last

    def _last_there(self, storage: Storage, offsets: Mapping[Storage, int]) -> int:
        begin = offsets[storage]
        end = begin + storage.size
        last = 0
        for other, used in self._used.items():
            if used > last and other.kind is Kind.ARENA:
                start = offsets[other]
                if start < end and begin < start + other.size:
                    last = used
        return last
