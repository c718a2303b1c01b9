"""What this machine takes whatever runs on it: slices of processors, bytes of TCP."""

from __future__ import annotations

import os
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
