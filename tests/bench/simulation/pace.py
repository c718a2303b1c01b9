"""How fast each processor is at this moment.

Guests of one host share its cores: for seconds at a time a processor of this machine may take 1.8
times as long for the same work, each by itself. So a loop that is always the same is timed on each
of them before and after each block of a training. What was measured in a block is told in the time
of the loop; blocks in which the loop's time changed, or differed between processors, do not count.
"""

from __future__ import annotations

import os
import subprocess
import sys

#: On one processor, whenever it is told to: some Python, and products of matrices, as in a step.
_LOOP = """
import os, sys, time
import numpy as np
os.sched_setaffinity(0, {int(sys.argv[1])})
x, w = np.full((100, 784), 0.5, np.float32), np.full((784, 100), 0.5, np.float32)
while os.read(0, 1):
    found = []
    for _ in range(7):
        began = time.perf_counter_ns()
        total = 0
        for number in range(4000):
            total += number
        for _ in range(2):
            x @ w
        found.append(time.perf_counter_ns() - began)
    os.write(1, str(sorted(found)[3]).encode().ljust(24))
"""
#: By so much the loop's times may differ.
EVEN = 1.15
#: So often the loop is timed at first, and while processors differ.
_WARM, _TRIALS = 20, 60

#: The loop's seconds on each processor.
Pace = list[float]


class Reference:
    """Processes that time the loop, one on each processor, all at once."""

    def __init__(self) -> None:
        self._loops = [
            subprocess.Popen(
                [sys.executable, "-c", _LOOP, str(processor)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
            for processor in sorted(os.sched_getaffinity(0))
        ]

    def __enter__(self) -> Reference:
        for _ in range(_WARM):
            self.look()
        return self

    def __exit__(self, *error: object) -> None:
        for loop in self._loops:
            loop.kill()
            loop.wait(10)
            for pipe in (loop.stdin, loop.stdout):
                assert pipe is not None
                pipe.close()

    def look(self) -> Pace:
        """The loop's time on each processor now."""
        for loop in self._loops:
            assert loop.stdin is not None
            os.write(loop.stdin.fileno(), b"x")
        found = []
        for loop in self._loops:
            assert loop.stdout is not None
            found.append(int(os.read(loop.stdout.fileno(), 24)) * 1e-9)
        return found

    def await_even(self) -> Pace:
        """Waits a little, if need be, until all processors are as fast, and here for this machine
        alone."""
        for _ in range(_TRIALS):
            before = stolen()
            pace = self.look()
            if max(pace) <= EVEN * min(pace) and stolen() == before:
                break
        return pace


def stolen() -> float:
    """What the host gave to other machines while something wanted a processor here, in seconds."""
    with open("/proc/stat") as file:
        return int(file.readline().split()[8]) / os.sysconf("SC_CLK_TCK")
