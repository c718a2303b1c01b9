"""Runs tables: the driver's machine code, and how Python calls it."""

from __future__ import annotations

import ctypes
import time
from typing import Any

from workbench.core.codegen.compiler import KernelLibrary, Source
from workbench.core.codegen.llvm import exclusive, use
from workbench.core.codegen.table import Table
from workbench.core.codegen.thread_pool import ThreadPool

#: What a run ends in.
DONE, FAILED, BUSY = 0, 1, 2
#: What a loop ends in beside the first two: it made all the passes it was allowed to, or a list has
#: no row for the next one.
ENOUGH, SHORT = 2, 3


_NAMES = ("workbench_run", "workbench_execute", "workbench_repeat")
_PARALLEL_NAMES = ("workbench_helper", "workbench_stop", "workbench_pause")


def driver_source() -> Source:
    """The module of the driver for this system."""
    from workbench.core.codegen.driver_text import driver_text

    with use() as llvm:
        text = driver_text(llvm.get_default_triple())
    parallel = f"@{_PARALLEL_NAMES[0]}" in text
    return Source(text, (*_NAMES, *_PARALLEL_NAMES) if parallel else _NAMES)


class Driver:
    """The functions of the driver, in this process."""

    _shared: Driver | None = None

    def __init__(self) -> None:
        library = KernelLibrary.shared()
        # They may have come from the disk without a text.
        here = library.has((*_NAMES, *_PARALLEL_NAMES))
        source = Source("", (*_NAMES, *_PARALLEL_NAMES)) if here else driver_source()
        #: Whether several threads can share a run on this system.
        self.parallel = _PARALLEL_NAMES[0] in source.functions
        addresses = library.load([source])
        #: Where the function is that runs a table which its caller has marked busy.
        self.execute = addresses["workbench_execute"]
        pointer, word = ctypes.c_void_p, ctypes.c_int64
        signature = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, pointer, word, word, word)
        self.run = signature(addresses["workbench_run"])
        self.execute_records = signature(self.execute)
        #: Takes a loop (`repeat_text`), the side to begin with, and how many passes it makes at
        #: most.
        self.repeat = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, word, word)(
            addresses["workbench_repeat"]
        )
        if self.parallel:
            self.helper: Any = ctypes.CFUNCTYPE(None, pointer, word)(addresses["workbench_helper"])
            self.stop: Any = ctypes.CFUNCTYPE(None, pointer)(addresses["workbench_stop"])
            self._pause = ctypes.CFUNCTYPE(None, word)(addresses["workbench_pause"])

    @classmethod
    def shared(cls) -> Driver:
        """The driver of the process."""
        with exclusive:
            if cls._shared is None:
                cls._shared = Driver()
            return cls._shared

    def pause_nanoseconds(self) -> float:
        """How long this processor pauses when it is told to."""
        count = 1000
        best = float("inf")
        for _ in range(5):
            began = time.perf_counter_ns()
            self._pause(count)
            best = min(best, time.perf_counter_ns() - began)
        return max(1.0, best / count)


def run(
    table: Table,
    first: int = 0,
    last: int | None = None,
    threads: int | None = None,
    pool: ThreadPool | None = None,
) -> bool:
    """Runs the records [first, last) on up to `threads` threads; False when a check failed.

    The interpreter goes on meanwhile. While another table is being run by the pool, this one is run
    by the calling thread alone.

    Raises:
      RuntimeError: the table is being run already.

    >>> from workbench.core.codegen.module import named
    >>> from workbench.core.codegen.table import Record
    >>> nothing = named(
    ...     "define void @KERNEL_NAME(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0 {"
    ...     " ret void }",
    ...     [],
    ... )
    >>> address = KernelLibrary.shared().compile([nothing])[nothing.name]
    >>> run(Table([Record(address, (), units=100, chunk=8)]))
    True
    """
    count = table.threads if threads is None else min(threads, table.threads)
    address = 0
    if count > 1:
        pool = pool or ThreadPool.shared()
        address, count = pool.address, min(count, pool.threads)
    end = len(table) if last is None else last
    if not 0 <= first <= end <= len(table):
        raise ValueError(f"There are {len(table)} records, so none in [{first}, {end}).")
    status = Driver.shared().run(table.address, address, first, end, count)
    if status == BUSY:
        raise RuntimeError("The table is being run by another thread.")
    return bool(status == DONE)
