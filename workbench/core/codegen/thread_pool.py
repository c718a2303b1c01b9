"""The threads that help the one which runs a step.

They are there from the first shared step on, sleep when there is nothing to do, and go home when
the interpreter ends. What they do is the driver's `workbench_helper`.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from typing import Any

import numpy as np

from workbench.core.codegen import host
from workbench.core.codegen.layout import POOL, PROCESSOR_WORDS
from workbench.core.codegen.llvm import exclusive

#: How long a helper looks for the next run before it sleeps, in nanoseconds: back-to-back steps
#: find it awake.
_IDLE = 100_000
#: How long a thread looks for what it waits for within a run before it yields and then sleeps: its
#: processor then serves a thread that has lost its own.
_WAIT = 20_000
#: Seconds within which helpers go home.
_PATIENCE = 5.0


class ThreadPool:
    """Helpers of a run; `threads` counts the thread that runs a step as well.

    On systems without the driver's parallel part, or with one processor, there are no helpers and
    every run is serial.
    """

    _shared: ThreadPool | None = None

    def __init__(self, threads: int | None = None) -> None:
        from workbench.core.codegen.driver import Driver

        driver = Driver.shared()
        wanted = threads or host.threads()
        #: Threads that take part in a run at most.
        self.threads = wanted if driver.parallel else 1
        words = POOL["SLOTS"] + 8 * self.threads
        raw = np.zeros(words + 8, np.int64)
        start = -(raw.ctypes.data // 8) % 8
        self._memory = raw[start : start + words]
        #: Where the driver finds it.
        self.address: int = self._memory.ctypes.data
        self._helpers: list[threading.Thread] = []
        if self.threads == 1:
            return
        self._stop = driver.stop
        pause = driver.pause_nanoseconds()
        self._memory[POOL["IDLE_SPINS"]] = max(1, round(_IDLE / pause))
        self._memory[POOL["WAIT_SPINS"]] = max(1, round(_WAIT / pause))
        bits = POOL["PROCESSORS"]
        self._memory[bits : bits + PROCESSOR_WORDS] = _processor_bits()
        self._start(driver.helper)
        self.threads = 1 + len(self._helpers)
        _pools.append(self)

    @classmethod
    def shared(cls) -> ThreadPool:
        """The pool of the process."""
        with exclusive:
            if cls._shared is None:
                cls._shared = ThreadPool()
                atexit.register(cls._shared.close)
            return cls._shared

    def close(self) -> None:
        """Sends the helpers home; runs are serial from then on."""
        if not self._helpers:
            return
        self._stop(self.address)
        deadline = time.monotonic() + _PATIENCE
        for helper in self._helpers:
            helper.join(max(0.0, deadline - time.monotonic()))
        if not any(helper.is_alive() for helper in self._helpers) and self in _pools:
            _pools.remove(self)
        self._helpers = []

    def looks_at(self, table: int) -> bool:
        """Whether a helper has a table before it."""
        return table in self._memory[POOL["SLOTS"] :: 8].tolist()

    def _start(self, helper: Any) -> None:
        # A signal is for the thread that the interpreter waits in, never for a helper.
        masked = hasattr(signal, "pthread_sigmask")
        if masked:
            previous = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            for number in range(1, self.threads):
                thread = threading.Thread(
                    target=helper,
                    args=(self.address, number),
                    name=f"workbench-step-{number}",
                    daemon=True,
                )
                try:
                    thread.start()
                except RuntimeError:  # there are as many threads as there may be
                    break
                self._helpers.append(thread)
        finally:
            if masked:
                signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def _processor_bits() -> np.ndarray[Any, Any]:
    """One bit for each processor that this process may use."""
    size = 8 * PROCESSOR_WORDS
    allowed = sum(1 << number for number in os.sched_getaffinity(0) if number < 8 * size)
    return np.frombuffer(allowed.to_bytes(size, "little"), np.int64)


#: Pools whose helpers may look at tables.
_pools: list[ThreadPool] = []


def wait_until_left(table: int, memory: tuple[Any, ...]) -> None:
    """Keeps a table's memory until no helper looks at it any more."""
    deadline = time.monotonic() + _PATIENCE
    while any(pool.looks_at(table) for pool in list(_pools)):
        if time.monotonic() > deadline:
            # A helper that is held up for so long might still come back to it.
            _kept.append(memory)
            return
        time.sleep(1e-4)


_kept: list[tuple[Any, ...]] = []


def _after_fork() -> None:
    """A forked process has none of the helpers: it makes its own when it first shares a step."""
    from workbench.core.codegen import table

    for pool in _pools:
        pool._helpers = []
        pool._memory[:] = 0
    _pools.clear()
    ThreadPool._shared = None
    table.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
