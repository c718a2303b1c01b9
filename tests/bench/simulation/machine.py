"""What this machine takes whatever runs on it: waking up, slices of processors, bytes of TCP."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import NamedTuple
from unittest import mock

import numpy as np

from tests.cluster.wire.ends import Echo, ask, client
from workbench.cluster.wire.message import Message

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

#: A process says when it has read a byte; until then it sleeps, or looks again and again.
_READER = """
import os, sys, time
os.sched_setaffinity(0, {int(sys.argv[2])})
os.set_blocking(0, sys.argv[1] == "sleeps")
while True:
    try:
        if not os.read(0, 1):
            break
    except BlockingIOError:
        continue
    os.write(1, str(time.perf_counter_ns()).encode().ljust(24))
"""
#: It is left alone for so long before it is told something, in seconds, as in a training.
_PAUSE = 1e-3


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


def wake_seconds(count: int = 400) -> float:
    """From telling a process that sleeps, on another processor, until it runs: how much longer that
    takes than telling one that does not sleep."""
    both = {how: _telling_seconds(how, count) for how in ("sleeps", "looks")}
    return max(both["sleeps"] - both["looks"], 0.0)


def _telling_seconds(how: str, count: int) -> float:
    """The median of a byte's way to a process on the last processor."""
    allowed = sorted(os.sched_getaffinity(0))
    arguments = [sys.executable, "-c", _READER, how, str(allowed[-1])]
    reader = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin is not None and reader.stdout is not None
    found = []
    try:
        os.sched_setaffinity(0, {allowed[0]})
        for _ in range(count):
            end = time.perf_counter() + _PAUSE
            while time.perf_counter() < end:
                pass
            told = time.perf_counter_ns()
            os.write(reader.stdin.fileno(), b"x")
            found.append((int(os.read(reader.stdout.fileno(), 24)) - told) * 1e-9)
    finally:
        os.sched_setaffinity(0, allowed)
        reader.kill()
        reader.wait(10)
        reader.stdin.close()
        reader.stdout.close()
    return statistics.median(found)


class Network(NamedTuple):
    """Messages through TCP on this host.

    Attributes:
      byte: the processor time of a byte, in seconds, for the sender or the receiver.
      bytes_per_second: how fast a large message goes.
    """

    byte: float
    bytes_per_second: float


def network(size: int, count: int = 300) -> Network:
    """Of what goes to a process and comes back, less what a message takes that has hardly any
    bytes."""
    elsewhere = mock.patch("workbench.cluster.wire.host.host_id", lambda: "another host")
    with elsewhere, Echo() as echo, client() as end:
        messages = [Message("m", {}, (("x", np.ones(n, np.float32)),)) for n in (1, size // 4)]
        spent, passed = [0.0, 0.0], [0.0, 0.0]
        # In turns, as the machine's pace changes.
        for number in range(2 * count):
            began, at = time.process_time(), time.perf_counter()
            ask(end, echo.address, messages[number % 2])
            spent[number % 2] += (time.process_time() - began) / count
            passed[number % 2] += (time.perf_counter() - at) / count
    byte = max(spent[1] - spent[0], 0.0) / (2 * size)
    return Network(byte, 2 * size / max(passed[1] - passed[0], 1e-9))
