"""Readers as the resources of a session."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from workbench.core.kernels.examples.wire import WireError, read_fields, read_varint
from workbench.core.kernels.support import invalid
from workbench.core.ops.readers.formats import Opener, Record

#: Gives the next work item, waiting for it; OutOfRangeError where there will be none.
NextWork = Callable[[], bytes]


class ReaderResource:
    """Gives records, one work item after the other.

    What is asked for work is a function: nothing here waits, and the lock is not held meanwhile.

    Args:
      kind: the operation type of its first version, such as "TextLineReader".
      name: what errors call it.
      opened: gives the records of a work item.
      is_single: a work item is one record, and ends with it.
    """

    def __init__(self, kind: str, name: str, opened: Opener, is_single: bool = False) -> None:
        self.kind = kind
        self._title = f"{kind} '{name}'"
        self._opened = opened
        self._is_single = is_single
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        #: How many work items were begun and ended, how many records given.
        self.started = self.finished = self.produced = 0
        self._work = b""
        #: The records of the current work item, and how many of it were given.
        self._records: Iterator[Record] | None = None
        self._given = 0
        #: Work items that were taken from the queue, but not begun.
        self._waiting: deque[bytes] = deque()
        #: What the current work item failed with: it does so each time.
        self._failure: Exception | None = None

    def read(self, next_work: NextWork) -> Record:
        """The next record."""
        return self.read_up_to(1, next_work)[0]

    def read_up_to(self, count: int, next_work: NextWork) -> list[Record]:
        """The next records, at least one: so many, or as many as the work item has left."""
        if count < 1:
            raise invalid(f"num_records must be at least 1, got {count}")
        while True:
            with self._lock:
                records = self._take(count)
            if records:
                return records
            work = next_work()
            with self._lock:
                self._waiting.append(work)

    def _take(self, count: int) -> list[Record]:
        """Records of the work items that are here; none where all of them ended."""
        while self._records is not None or self._waiting:
            if self._records is None:
                self._begin(self._waiting.popleft())
            records, has_ended = self._some(count)
            if has_ended:
                self._records = None
                self.finished = self.started
            self._given += len(records)
            self.produced += len(records)
            if records:
                return records
        return []

    def _begin(self, work: bytes) -> None:
        self.started += 1
        self._work, self._given = work, 0
        self._records = self._opened(work)

    def _some(self, count: int) -> tuple[list[Record], bool]:
        """The next records of the current work item, and whether it has ended."""
        if self._failure is not None:
            raise self._failure
        assert self._records is not None
        records: list[Record] = []
        try:
            for record in self._records:
                records.append(record)
                if self._is_single or len(records) == count:
                    return records, self._is_single
        except Exception as error:
            self._failure = error
            if not records:
                raise
            # The sound ones come first; those who ask again get the error.
            return records, False
        return records, True

    def reset(self) -> None:
        """Forgets the current work item and all counts."""
        with self._lock:
            self._clear()

    # -- its state as bytes ------------------------------------------------------------------

    def serialized(self) -> bytes:
        """Its state: a `ReaderBaseState` message."""
        with self._lock:
            numbers = (self.started, self.finished, self.produced)
            work = self._work if self._records is not None else b""
            given = self._given if self._records is not None else 0
        parts = [_number(field, value) for field, value in enumerate(numbers, 1)]
        if work:
            parts.append(_varint(_WORK << 3 | 2) + _varint(len(work)) + work)
        parts.append(_number(_GIVEN, given))
        return b"".join(parts)

    def deserialize(self, state: bytes) -> None:
        """Goes on where a reader of its kind had that state.

        Raises:
          InvalidArgumentError: these bytes are the state of no reader.
        """
        numbers, work = _parsed(state, self._title)
        started, finished, produced, given = numbers
        problem = _inconsistency(started, finished, work)
        if problem:
            raise invalid(f"Inconsistent state for {self._title}: {problem}")
        with self._lock:
            self._clear()
            self._restore(started, finished, produced, work, given)

    def _restore(self, started: int, finished: int, produced: int, work: bytes, given: int) -> None:
        if started > finished:
            self._begin(work)
            records = self._records
            assert records is not None
            for _ in range(given):
                next(records, None)
            self._given = given
        self.started, self.finished, self.produced = started, finished, produced

    def saved(self) -> dict[str, Any]:
        """What `restore` takes."""
        state = self.serialized()
        with self._lock:
            return {"state": state, "waiting": list(self._waiting)}

    def restore(self, saved: dict[str, Any]) -> None:
        """Goes on where it was then."""
        self.deserialize(saved["state"])
        with self._lock:
            self._waiting.extend(saved["waiting"])

    def close(self) -> None:
        """Closes the file it reads."""
        self.reset()


#: Fields of the message; the last is our own.
_WORK, _GIVEN = 4, 15


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _parsed(state: bytes, title: str) -> tuple[list[int], bytes]:
    """The numbers (begun, ended, records, records of the current item) and the work item."""
    numbers = {1: 0, 2: 0, 3: 0, _GIVEN: 0}
    work = b""
    try:
        for field, wire_type, start, stop in read_fields(state, 0, len(state)):
            if field in numbers and wire_type == 0:
                value = read_varint(state, start, stop)[0]
                numbers[field] = value - (1 << 64) if value >> 63 else value
            elif field == _WORK and wire_type == 2:
                work = state[start:stop]
            else:
                raise WireError("a field that no reader has")
    except WireError:
        shown = repr(state)[2:-1]
        raise invalid(f"Could not parse state for {title}: {shown}") from None
    return list(numbers.values()), work


def _inconsistency(started: int, finished: int, work: bytes) -> str:
    if min(started, finished) < 0:
        return "negative counts"
    if finished > started:
        return f"{finished} work items ended, but only {started} began"
    if started - finished > 1:
        return f"{started - finished} work items at once"
    if (started > finished) != bool(work):
        return "a work item that did not begin, or one that has no name"
    return ""
