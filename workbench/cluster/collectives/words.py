"""Counters in shared memory that processes wait for: they look for a moment, then sleep."""

from __future__ import annotations

import ctypes
import os
import platform
import threading
import time
from typing import Any

#: Each counter has a line of the processor's cache of its own.
STRIDE = 64
#: How long to look before sleeping, in seconds: about what waking up would take.
_LOOK_SECONDS = 40e-6
_LOOKS = 32
#: How long to sleep at most where there is no way to be woken.
_NAP_SECONDS = 200e-6
#: The number of the system call, by processor; it waits for a change of a word of memory.
_FUTEX = {"x86_64": 202, "aarch64": 98, "riscv64": 98}.get(platform.machine())
_WAIT, _WAKE = 0, 1
#: These keep the order of stores as other processors see it.
_KEEPS_ORDER = platform.machine() in ("x86_64", "AMD64", "i686")


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class Words:
    """The counters of the ranks; each rank moves its own on, and waits for those of others.

    `buffer` is writable shared memory of `STRIDE` bytes for each rank, all of them zeros; `rank` is
    the one whose counter is moved on here. Beside its counter a rank has whether it sleeps, so that
    the system is asked to wake somebody only if there is somebody.
    """

    def __init__(self, buffer: memoryview, count: int, rank: int) -> None:
        self._words = buffer[: count * STRIDE].cast("I")
        self._own = rank * (STRIDE // 4)
        #: Whether each rank sleeps.
        self._sleepers = self._words[1 :: STRIDE // 4]
        self._anchor: Any = ctypes.c_char.from_buffer(buffer)
        self._address: int | None = ctypes.addressof(self._anchor)
        self._call = None
        if _FUTEX is not None and os.uname().sysname == "Linux":
            self._call = ctypes.CDLL(None).syscall
            self._call.restype = ctypes.c_long
        self._fence = threading.Lock()

    def read(self, rank: int) -> int:
        """A rank's counter."""
        return self._words[rank * (STRIDE // 4)]

    def publish(self, value: int) -> None:
        """Moves the counter of this rank on, and wakes who sleeps."""
        if not _KEEPS_ORDER:
            # What was written before must be seen before.
            self._order()
        self._words[self._own] = value
        # Who is to sleep says so, and then looks: one of the two sees what the other has written.
        self._order()
        if self._call is not None and any(self._sleepers):
            self._futex(self._own, _WAKE, 1 << 30, None)

    def _order(self) -> None:
        """What comes before it is seen by other processors before what comes after it is done.

        Taking a lock orders it; twice, where a processor lets what comes before into the lock.
        """
        with self._fence:
            pass
        if not _KEEPS_ORDER:
            with self._fence:
                pass

    def has_reached(self, rank: int, value: int) -> bool:
        """Whether a counter is at `value` or further; counters begin again at 2**32."""
        return (self._words[rank * (STRIDE // 4)] - value) & 0xFFFFFFFF < 1 << 31

    def look(self, rank: int, value: int) -> bool:
        """Looks for a moment whether a counter has come to `value`."""
        words, place = self._words, rank * (STRIDE // 4)
        until = time.perf_counter() + _LOOK_SECONDS
        while True:
            for _ in range(_LOOKS):
                if (words[place] - value) & 0xFFFFFFFF < 1 << 31:
                    return True
            if time.perf_counter() > until:
                return False

    def sleep(self, rank: int, value: int, seconds: float) -> bool:
        """Sleeps until a counter has come to `value`, at most so long; whether it has."""
        until = time.monotonic() + seconds
        self._words[self._own + 1] = 1
        self._order()
        try:
            while not self.has_reached(rank, value):
                left = until - time.monotonic()
                if left <= 0:
                    return False
                if self._call is None:
                    time.sleep(min(left, _NAP_SECONDS))
                else:
                    seen = self.read(rank)
                    if (seen - value) & 0xFFFFFFFF >= 1 << 31:
                        self._futex(rank * (STRIDE // 4), _WAIT, seen, left)
            return True
        finally:
            self._words[self._own + 1] = 0

    def _futex(self, place: int, operation: int, value: int, seconds: float | None) -> None:
        assert self._call is not None and self._address is not None and _FUTEX is not None
        limit = None
        if seconds is not None:
            limit = ctypes.byref(_Time(int(seconds), int(seconds % 1 * 1e9)))
        self._call(
            ctypes.c_long(_FUTEX),
            ctypes.c_void_p(self._address + 4 * place),
            ctypes.c_int(operation),
            ctypes.c_uint(value),
            limit,
            None,
            ctypes.c_int(0),
        )

    def close(self) -> None:
        """Lets go of the memory."""
        self._address = None
        self._anchor = None
        self._sleepers.release()
        self._words.release()
