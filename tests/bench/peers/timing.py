"""How a program of the comparison times itself: one line of JSON, which `compare_peers` reads.

A program is called with a workload's name; BENCH_START (the time at which its process was started)
and BENCH_SECONDS (how long to measure) come from the environment.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

START = float(os.environ.get("BENCH_START", time.time()))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
#: Steps whose losses are reported: every engine must agree on them.
COMPARED = 5
#: Measured steps are at most this many: the fast ones need not run for seconds.
MOST = 20_000


def measure(version: str, step: Callable[[], float]) -> None:
    """Times `step`, which runs one training step and returns its loss, and prints the result."""
    losses = [step()]
    first = time.time() - START
    losses += [step() for _ in range(COMPARED - 1)]
    # What an engine compiles behind the first steps is ready after these.
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        step()
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while not times or (len(times) < MOST and time.perf_counter() < end):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    times.sort()
    result = {
        "version": version,
        "first": first,
        "median": times[len(times) // 2],
        "tenth": times[len(times) // 10],
        "losses": losses,
    }
    print(json.dumps(result), flush=True)
