"""What devices and the links between them can do: the constants of the cost model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from workbench.core.plan.placement.devices import task_of


@dataclass(frozen=True)
class Machine:
    """What one device does in a second. The defaults are those of one core of a plain processor."""

    flops_per_second: float = 2e10
    bytes_per_second: float = 8e9
    #: What an operation takes beside its arithmetic.
    seconds_per_operation: float = 2e-6
    #: What variables may take of its memory; None for no limit.
    memory_bytes: int | None = None

    def seconds(self, flops: float, moved: float) -> float:
        """The time of an operation with so much arithmetic that moves so many bytes."""
        work = max(flops / self.flops_per_second, moved / self.bytes_per_second)
        return self.seconds_per_operation + work

    @staticmethod
    def measured() -> Machine:
        """This machine, measured once in a process; it takes a few hundredths of a second.

        >>> from workbench.core.plan.placement.machine import Machine
        >>> Machine.measured().flops_per_second > 1e7
        True
        """
        return _measured()


@dataclass(frozen=True)
class Link:
    """The way from one device to another: a transfer takes its latency and its bytes' time."""

    latency: float
    bytes_per_second: float

    def seconds(self, size: float) -> float:
        """The time of a transfer of so many bytes.

        >>> from workbench.core.plan.placement.machine import Link
        >>> Link(0.001, 1e6).seconds(500)
        0.0015
        """
        return self.latency + size / self.bytes_per_second


#: Between devices of one process, which hand arrays over as they are.
WITHIN_TASK = Link(3e-5, 1e12)
#: Between processes: assumed, of the order of what loopback takes; measure them where it matters.
BETWEEN_TASKS = Link(1.5e-4, 1e9)


def usual_link(source: str, destination: str) -> Link:
    """The link between two devices, where nothing was measured."""
    return WITHIN_TASK if task_of(source) == task_of(destination) else BETWEEN_TASKS


@lru_cache(maxsize=1)
def _measured() -> Machine:
    import numpy as np

    size = 192
    matrix = np.ones((size, size), np.float32)
    product = np.empty_like(matrix)
    flops = 2.0 * size**3 / _fastest(lambda: np.matmul(matrix, matrix, out=product))
    row = np.ones(1 << 20, np.float32)
    total = np.empty_like(row)
    moved = 3.0 * row.nbytes / _fastest(lambda: np.add(row, row, out=total))
    one = np.ones((), np.float32)
    return Machine(flops, moved, _fastest(lambda: np.add(one, one)))


def _fastest(work: Callable[[], object], rounds: int = 12) -> float:
    """Others on the machine only make it slower: the fastest round says what it can do."""
    found = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found = min(found, time.perf_counter() - began)
    return max(found, 1e-9)
