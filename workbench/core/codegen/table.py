"""A program as data: the calls of a step, one record each, that the driver works through."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.codegen import layout
from workbench.core.codegen.layout import RECORD, RECORD_WORDS, TABLE, TABLE_WORDS
from workbench.core.codegen.learning_text import FIRST_ALONE, LEAST_ALONE
from workbench.core.codegen.thread_pool import wait_until_left

_LINE = 64


class Record(NamedTuple):
    """A call of a kernel, shared out in chunks of `chunk` units from 0 to `units`.

    `arguments` are addresses and integers. All records before number `waits` are complete before
    one of its chunks starts; of the others some may still run (None: all before it). A record with
    an `effect` changes what outlives the step, or would come to grief after a failed check: it
    starts when all before it are complete and no check has failed.
    """

    function: int
    arguments: tuple[int, ...]
    units: int
    chunk: int
    waits: int | None = None
    effect: bool = False
    #: Bytes of memory of its own that a thread needs, aligned to 64.
    scratch: int = 0


class Table:
    """Records in memory that the threads share, with their arguments.

    Whoever makes one keeps what the addresses point to; the memory of the table itself is freed
    after the last thread has left it. A table is run by one thread, and its helpers, at a time.

    `checks` is how many words there are for checks to set: `flags`, at `flag_address(i)`.
    With `learns`, the driver finds out by itself whether the table is faster with helpers: a few
    runs are on one thread, and many where other programs want the processors (`learning_text`).
    """

    def __init__(
        self,
        records: Sequence[Record],
        threads: int = 1,
        checks: int = 1,
        *,
        learns: bool = False,
    ) -> None:
        count = len(records)
        self.threads = threads
        #: The arguments of all records, one after the other; to be changed between two runs.
        self.arguments = np.array([a for r in records for a in r.arguments] or [0], np.int64)
        lengths = [len(r.arguments) for r in records]
        #: Where each record's arguments begin.
        self.starts = [0, *np.cumsum(lengths, dtype=int).tolist()][:count]
        #: What checks set, as int32; each run clears it.
        self.flags = np.zeros(max(1, checks), np.int32)
        stride = _rounded(max([r.scratch for r in records], default=0)) + _LINE
        self._scratch = aligned_bytes(stride * threads)
        self._records = aligned_bytes(max(1, count) * RECORD_WORDS * 8).view(np.int64)
        rows = self._records.reshape(-1, RECORD_WORDS)
        for number, record in enumerate(records):
            rows[number] = self._row(number, record)
        self._head = aligned_bytes(TABLE_WORDS * 8).view(np.int64)
        self._head[TABLE["RECORDS"]] = self._records.ctypes.data
        self._head[TABLE["ALL"]] = count
        self._head[TABLE["FLAGS"]] = self.flags.ctypes.data
        self._head[TABLE["FLAG_COUNT"]] = self.flags.size
        self._head[TABLE["SCRATCH"]] = self._scratch.ctypes.data
        self._head[TABLE["SCRATCH_STRIDE"]] = stride
        self._head[TABLE["LEARNS"]] = count if learns else 0
        self._head[TABLE["ALONE_DUE"]] = FIRST_ALONE
        self._head[TABLE["ALONE_NEXT"]] = LEAST_ALONE
        self._stamps: np.ndarray[Any, Any] | None = None
        self._count = count
        #: Where the driver finds the table.
        self.address: int = self._head.ctypes.data
        shared = (self._head, self._records, self.flags)
        finalizer = weakref.finalize(self, wait_until_left, self.address, shared)
        finalizer.atexit = False
        _alive.add(self)

    def __len__(self) -> int:
        return self._count

    def flag_address(self, check: int) -> int:
        """Where a check sets its int32."""
        return int(self.flags.ctypes.data) + 4 * check

    def failed_checks(self) -> list[int]:
        """The numbers of the checks that failed in the last run."""
        return np.flatnonzero(self.flags).tolist()

    def measure(self, enabled: bool) -> None:
        """Whether the next runs note when each record is complete."""
        if self._stamps is None:
            self._stamps = np.zeros(max(1, self._count), np.int64)
        self._head[TABLE["STAMPS"]] = self._stamps.ctypes.data if enabled else 0

    def durations(self, first: int = 0, last: int | None = None) -> np.ndarray[Any, Any]:
        """Seconds of each record of the last measured run, [last - first] float64.

        Where records overlap, what a record took is from the end of those before it to its own.
        """
        if self._stamps is None:
            raise ValueError("No run was measured: call measure(True) before it.")
        ends = self._stamps[first : self._count if last is None else last]
        began = self._head[TABLE["BEGAN"]]
        steps = np.maximum.accumulate(np.concatenate(([began], ends)))
        return np.diff(steps) * 1e-9

    def _row(self, number: int, record: Record) -> list[int]:
        if record.chunk < 1 or record.units < 0:
            raise ValueError(
                f"Record {number} has {record.units} units in chunks of {record.chunk}."
            )
        waits = number if record.waits is None else record.waits
        if not 0 <= waits <= number:
            raise ValueError(f"Record {number} cannot wait for the first {waits} records.")
        row = [0] * RECORD_WORDS
        row[RECORD["FUNCTION"]] = record.function
        row[RECORD["ARGUMENTS"]] = self.arguments.ctypes.data + 8 * self.starts[number]
        row[RECORD["UNITS"]] = record.units
        row[RECORD["CHUNK"]] = record.chunk
        row[RECORD["CHUNKS"]] = -(-record.units // record.chunk)
        row[RECORD["WAITS"]] = waits
        row[RECORD["EFFECT"]] = int(record.effect)
        return row

    def _forget_run(self) -> None:
        """In a forked process nobody runs it, whatever was going on."""
        for word in ("BUSY", "WAITERS"):
            self._head[layout.TABLE[word]] = 0


_alive: weakref.WeakSet[Table] = weakref.WeakSet()


def after_fork() -> None:
    """Makes the tables of a forked process usable."""
    for table in list(_alive):
        table._forget_run()


def aligned_bytes(size: int) -> np.ndarray[Any, Any]:
    """Zeros that start on a cache line and share their lines with nothing else."""
    raw = np.zeros(_rounded(size) + _LINE, np.uint8)
    start = -raw.ctypes.data % _LINE
    return raw[start : start + _rounded(size)]


def _rounded(size: int) -> int:
    return -(-size // _LINE) * _LINE
