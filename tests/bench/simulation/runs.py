"""Runs a small training in processes, and looks at it from outside: steps, processor times."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from tests.cluster.servers import addresses
from workbench.cluster.replication.roster import Roster

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("task.py")
#: A training is looked at for so long, in seconds, so long after all have made some steps: by then
#: their programs are compiled.
WINDOW, _WARM, _STEPS = 1.2, 0.8, 20
_DEADLINE = 60.0


class Measured(NamedTuple):
    """A training that was looked at.

    Attributes:
      rate: steps a second, of all workers together.
      worker, server: the processor time of a worker, and of the server, in one step of one worker.
      busy: how many processors it had.
    """

    rate: float
    worker: float
    server: float
    busy: float


class _Look(NamedTuple):
    now: float
    counts: list[int]
    clocks: list[float]


def run(way: str, kind: str, workers: int, window: float = WINDOW) -> Measured:
    """Starts a training of a kind, looks at it, and kills it; see `task.py`."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tasks = [("worker", number) for number in range(workers)]
        spec: dict[str, Any] = {}
        if way == "all-reduce":
            spec = {"roster": stack.enter_context(Roster(workers)).address}
        elif way != "alone":
            spec = addresses(ps=1, worker=workers)
            tasks.append(("ps", 0))
        counters = [folder / f"{job}{index}" for job, index in tasks]
        processes: list[subprocess.Popen[bytes]] = []
        try:
            for (job, index), counter in zip(tasks, counters, strict=True):
                counter.write_bytes(bytes(8))
                arguments = [way, kind, json.dumps(spec), job, str(index), str(counter)]
                processes.append(
                    subprocess.Popen(
                        [sys.executable, "-W", "ignore", str(PROGRAM), *arguments],
                        env={**os.environ, "PYTHONPATH": str(ROOT)},
                    )
                )
            _await_steps(processes, counters[:workers])
            time.sleep(_WARM)
            first = _look(processes, counters)
            time.sleep(window)
            last = _look(processes, counters)
        finally:
            for process in processes:
                process.kill()
            for process in processes:
                process.wait(10)
    seconds = last.now - first.now
    steps = sum(last.counts[:workers]) - sum(first.counts[:workers])
    if not steps:
        sys.exit(f"no step of {way} {kind} with {workers} in {seconds:.1f} s")
    spent = [b - a for a, b in zip(first.clocks, last.clocks, strict=True)]
    return Measured(
        steps / seconds,
        sum(spent[:workers]) / steps,
        sum(spent[workers:]) / steps,
        sum(spent) / seconds,
    )


def _await_steps(processes: list[subprocess.Popen[bytes]], counters: list[Path]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while min(_counts(counters)) < _STEPS:
        if time.monotonic() > deadline or any(p.poll() is not None for p in processes):
            sys.exit("the training does not get going")
        time.sleep(0.05)


def _look(processes: list[subprocess.Popen[bytes]], counters: list[Path]) -> _Look:
    clocks = [time.clock_gettime(_clock(process.pid)) for process in processes]
    return _Look(time.monotonic(), _counts(counters), clocks)


def _clock(process: int) -> int:
    """The clock of Linux that tells the processor time of a process."""
    return ~process << 3 | 2


def _counts(counters: list[Path]) -> list[int]:
    return [struct.unpack("q", counter.read_bytes())[0] for counter in counters]


_SPINNER = """
import sys, time
end = time.perf_counter() + float(sys.argv[1])
since = last = time.perf_counter()
runs = []
while last < end:
    now = time.perf_counter()
    if now - last > 3e-4:
        runs.append(last - since)
        since = now
    last = now
runs.sort()
print(runs[len(runs) // 2] if runs else sys.argv[1])
"""


def slice_seconds(seconds: float = 0.6) -> float:
    """For how long a process has a processor where one more wants one than there are."""
    count = (os.cpu_count() or 1) + 1
    spinners = [
        subprocess.Popen(
            [sys.executable, "-c", _SPINNER, str(seconds)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    try:
        found = [float(spinner.communicate(timeout=30)[0]) for spinner in spinners]
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait(10)
    return sorted(found)[count // 2]
