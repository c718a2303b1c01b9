"""Small trainings in processes, looked at from outside: their steps and processor times.

All trainings that are compared stand ready at once, and stopped; they go on in short blocks by
turns, so that all of them see the machine as it is at the same time.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.simulation import probes
from tests.bench.simulation.pace import EVEN, Reference, stolen
from tests.cluster.servers import addresses
from workbench.cluster.replication.roster import Roster

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("task.py")
#: A training is looked at for so long at a time, in seconds, a moment after it goes on.
BLOCK, _SETTLE = 0.2, 0.02
#: It is stopped first so long after all have made some steps: by then programs are compiled.
_WARM, _STEPS = 0.8, 20
_DEADLINE = 60.0
#: Steps, and seconds passed between them: `task.COUNTER`.
_COUNTER = struct.Struct("qd")
#: A block in which other programs had more of the processors tells of them as well, and does not
#: count; nothing is said where fewer than so many blocks are left.
_DISTURBED, _FEWEST = 0.1, 3


class Key(NamedTuple):
    """A training: the way of training, what there is of it, how many workers, and whether its
    processes count their pieces; see `task.py`."""

    way: str
    kind: str
    workers: int = 1
    is_probed: bool = False


class Measured(NamedTuple):
    """A training that was looked at.

    Attributes:
      rate: steps a second, of all workers together.
      worker, server: the processor time of a worker, and of the server, in one step of one worker;
        without what a worker passed between two steps.
      idle: the processor time that a worker passed between two steps.
      busy: how many processors it had.
      others: how many other programs had meanwhile, or other machines of the host.
      pace: what the reference loop took meanwhile, in seconds.
      uneven: by how much its times differed, before and after, on one processor and another.
    """

    rate: float
    worker: float
    server: float
    idle: float
    busy: float
    others: float
    pace: float
    uneven: float

    @property
    def is_kept(self) -> bool:
        """Whether it had the machine for itself, and the machine kept its pace."""
        return abs(self.others) < _DISTURBED and self.uneven <= EVEN

    def at(self, pace: float) -> Measured:
        """What would have been measured where the reference loop takes so long."""
        times = pace / self.pace
        return self._replace(
            rate=self.rate / times, worker=self.worker * times, server=self.server * times,
            idle=self.idle * times, pace=pace,
        )  # fmt: skip


class _Look(NamedTuple):
    now: float
    all_ran: float
    counts: Sequence[int]
    passed: float
    clocks: list[float]


class Training:
    """The processes of a training, which stand still but for blocks in which they are measured."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._stack = contextlib.ExitStack()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.blocks: list[Measured] = []
        #: What each process did, piece by piece, in each block.
        self.pieces: list[list[probes.Pieces]] = []

    @property
    def kept(self) -> int:
        """How many blocks tell of nothing else."""
        return sum(block.is_kept for block in self.blocks)

    def __enter__(self) -> Training:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self) -> None:
        key = self._key
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        tasks = [("worker", number) for number in range(key.workers)]
        spec: dict[str, Any] = {}
        if key.way == "all-reduce":
            spec = {"roster": self._stack.enter_context(Roster(key.workers)).address}
        elif key.way != "alone":
            spec = addresses(ps=1, worker=key.workers)
            tasks.append(("ps", 0))
        self._counters = [folder / f"{job}{index}" for job, index in tasks]
        self._files = [folder / f"{job}{index}.json" for job, index in tasks if key.is_probed]
        for number, ((job, index), counter) in enumerate(zip(tasks, self._counters, strict=True)):
            counter.write_bytes(bytes(_COUNTER.size))
            arguments = [key.way, key.kind, json.dumps(spec), job, str(index), str(counter)]
            if key.is_probed:
                arguments.append(str(self._files[number]))
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-W", "ignore", str(PROGRAM), *arguments],
                    env={**os.environ, "PYTHONPATH": str(ROOT)},
                )
            )
        self._await_steps()
        time.sleep(_WARM)
        self._last = [probes.read(path) for path in self._files]
        self._signal(signal.SIGSTOP)

    def _await_steps(self) -> None:
        deadline = time.monotonic() + _DEADLINE
        while min(self._counts()[: self._key.workers]) < _STEPS:
            if time.monotonic() > deadline or any(p.poll() is not None for p in self._processes):
                sys.exit(f"{self._key} does not get going")
            time.sleep(0.05)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            process.send_signal(number)

    def measure(self, seconds: float, reference: Reference) -> None:
        """Has it go on for so long, when all processors are as fast."""
        pace = reference.await_even()
        self._signal(signal.SIGCONT)
        try:
            time.sleep(_SETTLE)
            first = self._look()
            time.sleep(seconds)
            last = self._look()
        finally:
            self._signal(signal.SIGSTOP)
        pace = [*pace, *reference.look()]
        passed, workers = last.now - first.now, self._key.workers
        steps = sum(last.counts[:workers]) - sum(first.counts[:workers])
        if not steps:
            sys.exit(f"no step of {self._key} in {passed:.1f} s")
        idle = last.passed - first.passed
        spent = [b - a for a, b in zip(first.clocks, last.clocks, strict=True)]
        self.blocks.append(
            Measured(
                steps / passed,
                (sum(spent[:workers]) - idle) / steps,
                sum(spent[workers:]) / steps,
                idle / steps,
                sum(spent) / passed,
                (last.all_ran - first.all_ran - sum(spent)) / passed,
                statistics.fmean(pace),
                max(pace) / min(pace),
            )
        )
        if self._files:
            pieces = [probes.read(path) for path in self._files]
            pairs = zip(self._last, pieces, strict=True)
            self.pieces.append([probes.difference(a, b) for a, b in pairs])
            self._last = pieces

    def _look(self) -> _Look:
        clocks = [time.clock_gettime(_clock(process.pid)) for process in self._processes]
        counts, passed = zip(*self._told(), strict=True)
        return _Look(time.monotonic(), _all_ran(), counts, sum(passed), clocks)

    def _counts(self) -> list[int]:
        return [told[0] for told in self._told()]

    def _told(self) -> list[tuple[int, float]]:
        return [_COUNTER.unpack(counter.read_bytes()) for counter in self._counters]

    def close(self) -> None:
        """Ends its processes."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(10)
        self._stack.close()


def _clock(process: int) -> int:
    """The clock of Linux that tells the processor time of a process."""
    return ~process << 3 | 2


def _all_ran() -> float:
    """The processor time of all processes that there are, and what the host gave to other machines
    while one here wanted it, in seconds."""
    total = stolen()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                total += time.clock_gettime(_clock(int(name)))
    return total


def undisturbed(blocks: Sequence[Measured]) -> list[int]:
    """Which blocks had hardly another program beside, and processors as fast as each other all the
    time; none where they are too few."""
    found = [n for n, block in enumerate(blocks) if block.is_kept]
    return found if len(found) >= _FEWEST else []


def chosen(blocks: Sequence[Measured]) -> list[int]:
    """Which blocks to look at: those that were not disturbed; all where those are too few."""
    return undisturbed(blocks) or list(range(len(blocks)))


def medians(blocks: Sequence[Measured], pace: float) -> Measured:
    """Of a training's blocks that were not disturbed, as if all had had the same pace."""
    found = [blocks[n].at(pace) for n in chosen(blocks)]
    return Measured(*(statistics.median(values) for values in zip(*found, strict=True)))
