"""Shared memory between two processes of one host, as pools of segments, each lent as a whole.

A segment is a file in memory. The borrower removes its name as soon as it has mapped it, so that
the kernel frees it with the last of the two processes, however they end. Whether a segment is lent
is a byte in it: a borrower gives it back by setting that, without a message, since the last use of
an array ends anywhere, also where nothing may be sent.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
import time
import weakref
from typing import Any

import numpy as np

from workbench.cluster.shown import shown
from workbench.cluster.wire import host

#: Before the bytes of a segment: whether it is lent, and whether its owner uses it no more.
_HEAD = 4096
_LENT, _RETIRED = 0, 1
#: The least segment; others are powers of two.
_LEAST_SEGMENT = 1 << 16
#: A peer borrows at most so many bytes at a time.
MOST_LENT = 1 << 31
#: What was not lent for so long is freed, in seconds.
_IDLE_SECONDS = 30.0
_POPULATE = getattr(mmap, "MAP_POPULATE", 0)


class _Segment:
    """A segment of this process."""

    def __init__(self, capacity: int) -> None:
        self.name = host.new_name()
        self.capacity = capacity
        self.used = time.monotonic()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(host.FOLDER / self.name, flags, 0o600)
        try:
            # Without the room, writing would end the process instead of raising.
            os.posix_fallocate(descriptor, 0, _HEAD + capacity)
            self.memory = mmap.mmap(descriptor, _HEAD + capacity, flags=mmap.MAP_SHARED | _POPULATE)
        except BaseException:
            host.remove(self.name)
            raise
        finally:
            os.close(descriptor)

    @property
    def is_lent(self) -> bool:
        return self.memory[_LENT] != 0

    def write(self, data: np.ndarray[Any, Any]) -> None:
        self.used = time.monotonic()
        self.memory[_LENT] = 1
        view = np.frombuffer(self.memory, np.uint8, data.nbytes, _HEAD)
        np.copyto(view, data)

    def retire(self) -> None:
        """It is not used any more; a borrower that has it may go on reading."""
        self.memory[_RETIRED] = 1
        host.remove(self.name)
        self.memory.close()


class SegmentLender:
    """Lends segments to one peer."""

    #: Copying twice costs less than the way through the kernel from here on.
    least_bytes = 1 << 15

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: list[_Segment] = []
        self._total = 0
        self._is_closed = False

    def lend(self, frame: Any) -> tuple[str, int] | None:
        """Puts the bytes of a frame into a segment; None where there is no room for more."""
        data = np.frombuffer(frame, np.uint8)
        capacity = max(_LEAST_SEGMENT, 1 << (data.nbytes - 1).bit_length())
        with self._lock:
            segment = self._free(capacity)
            if segment is None:
                return None
            segment.write(data)
            return segment.name, data.nbytes

    def _free(self, capacity: int) -> _Segment | None:
        if self._is_closed:
            return None
        for segment in self._segments:
            if segment.capacity == capacity and not segment.is_lent:
                return segment
        if self._total + capacity > MOST_LENT:
            return None
        try:
            segment = _Segment(capacity)
        except OSError:
            return None
        self._segments.append(segment)
        self._total += capacity
        return segment

    def trim(self) -> None:
        """Frees what was not lent for a while."""
        oldest = time.monotonic() - _IDLE_SECONDS
        with self._lock:
            idle = [s for s in self._segments if s.used < oldest and not s.is_lent]
            for segment in idle:
                self._segments.remove(segment)
                self._total -= segment.capacity
                segment.retire()

    def close(self) -> None:
        """Frees all. What the peer has mapped stays until it has done with it."""
        with self._lock:
            self._is_closed = True
            for segment in self._segments:
                segment.retire()
            self._segments = []


class SegmentBorrower:
    """Has the segments that one peer lends."""

    def __init__(self) -> None:
        #: Used by the receiving thread only.
        self._mapped: dict[str, mmap.mmap] = {}

    def borrow(self, name: Any, size: Any) -> Any:
        """The first `size` bytes of a segment, read-only."""
        if type(size) is not int or size <= 0:
            raise ValueError(f"{shown(size)} is no number of bytes")
        memory = self._mapped.get(name) if isinstance(name, str) else None
        if memory is None:
            self.trim()
            memory = self._mapped[name] = _map(name)
        if size > len(memory) - _HEAD:
            raise ValueError(f"A segment of {len(memory) - _HEAD} bytes has no {size}")
        data = np.frombuffer(memory, np.uint8, size, _HEAD)
        data.flags.writeable = False
        # Arrays made of it keep this one alive, so that its end is that of them all.
        weakref.finalize(data, _give_back, memory).atexit = False
        return data

    def trim(self) -> None:
        """Forgets what its owner does not use any more."""
        for name in [n for n, memory in self._mapped.items() if memory[_RETIRED]]:
            del self._mapped[name]

    def close(self) -> None:
        """Forgets all; arrays that are still in use keep what they need."""
        self._mapped.clear()


def _map(name: str) -> mmap.mmap:
    descriptor = host.open_own(name, os.O_RDWR)
    try:
        size = os.fstat(descriptor).st_size
        if size <= _HEAD:
            raise ValueError(f"{name!r} is no segment")
        memory = mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED | _POPULATE)
    finally:
        os.close(descriptor)
    host.remove(name)
    return memory


def _give_back(memory: mmap.mmap) -> None:
    with contextlib.suppress(ValueError):
        memory[_LENT] = 0
