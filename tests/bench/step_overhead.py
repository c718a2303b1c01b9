"""Measure what the compiled tier costs beside its kernels: calls, threads, compiling, reloading.

    python -m tests.bench.step_overhead

Entry: a call of the C function of a step, from two arrays to a list of a scalar and None, with a
record that does next to nothing; front: the same by fetches and feed dictionary. Threads: a record
of two chunks that two threads must both take part in, again and again, and after the helper has
slept; records of two chunks each, of which one takes nearly no time. Compiling: functions of a few
lines, one by one, and the same from the disk. All times are the shortest of many, and the medians.
Ends with status 1 where a shortest time is above its limit.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import timeit
from pathlib import Path

import numpy as np

from tests.core.codegen.small_kernels import COUNT, HOLD, MULTIPLY, call, kernel
from workbench.core.codegen.code_cache import CodeCache
from workbench.core.codegen.compiler import KernelLibrary
from workbench.core.codegen.entry import Entry, FeedSpec, Patch, ResultSpec, Structure
from workbench.core.codegen.peak import peak
from workbench.core.codegen.table import Table
from workbench.core.codegen.thread_pool import ThreadPool

#: Nanoseconds, but for the last two: milliseconds for each function.
LIMITS = {
    "entry": 500.0,
    "front": 700.0,
    "front, with its list and dictionary": 1200.0,
    "two threads, hot": 20_000.0,
    "record on one thread": 50.0,
    "record on two threads": 500.0,
    "compile": 20.0,
    "reload": 2.0,
}
FUNCTIONS = 30
NOTHING = Structure("single", (-1,))


def calls(measured: dict[str, list[float]]) -> None:
    scalar = np.zeros(1, np.float32)
    images, labels = np.ones((128, 784), np.float32), np.ones(128, np.int32)
    entry = Entry(
        Table([call(MULTIPLY, 0, 0, scalar, units=1)]),
        [
            FeedSpec("float32", images.shape, (Patch(0), Patch(1))),
            FeedSpec("int32", labels.shape, ()),
        ],
        [ResultSpec("float32", address=scalar.ctypes.data)],
        Structure("list", (0, -1)),
    )
    x, y, loss, train = (object() for _ in range(4))
    front = entry.front([loss, train], [x, y])
    fetches, feeds = [loss, train], {x: images, y: labels}
    names = {"call": entry.call, "front": front.call, "fetches": fetches, "feeds": feeds}
    names |= {"images": images, "labels": labels, "x": x, "y": y, "loss": loss, "train": train}
    measured["entry"] = timed("call(images, labels)", names)
    measured["front"] = timed("front(fetches, feeds)", names)
    measured["front, with its list and dictionary"] = timed(
        "front([loss, train], {x: images, y: labels})", names
    )


def timed(statement: str, names: dict[str, object]) -> list[float]:
    """Nanoseconds of a statement, many times."""
    count = 2000
    return [s / count * 1e9 for s in timeit.Timer(statement, globals=names).repeat(200, count)]


def threads(measured: dict[str, list[float]]) -> None:
    word, saw = np.zeros(1, np.int64), np.zeros(1, np.int64)
    both = Table([call(HOLD, word, saw, 1, units=2)], threads=2)
    entry = Entry(both, [], [], NOTHING, threads=2, release=True)

    def once() -> float:
        word[0] = 0
        began = time.perf_counter_ns()
        entry.call()
        return time.perf_counter_ns() - began

    measured["two threads, hot"], measured["two threads, after 20 ms"] = [], []
    for _ in range(50):
        time.sleep(0.02)
        measured["two threads, after 20 ms"].append(once())
        measured["two threads, hot"] += [once() for _ in range(20)]


def records(count: int) -> list[float]:
    """Nanoseconds of a record on so many threads."""
    counts = np.zeros(2, np.int32)
    many = 100
    table = Table([call(COUNT, counts, units=2) for _ in range(many)], threads=count)
    entry = Entry(table, [], [], NOTHING, threads=count)
    return [t / many for t in timed("call()", {"call": entry.call})]


def compiling(measured: dict[str, list[float]]) -> None:
    body = """  %at = getelementptr i32, ptr %counts, i64 %i
  %old = load i32, ptr %at
  %new = mul i32 %old, {0}
  store i32 %new, ptr %at"""
    codes = [kernel("counts", body.format(number)) for number in range(FUNCTIONS)]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("compile", "reload"):
            library = KernelLibrary(CodeCache(Path(folder) / "code"))
            began = time.perf_counter()
            library.compile(codes)
            measured[name] = [(time.perf_counter() - began) * 1e3 / FUNCTIONS]


def main() -> int:
    measured: dict[str, list[float]] = {}
    calls(measured)
    measured["record on one thread"] = records(1)
    if ThreadPool.shared().threads > 1:
        threads(measured)
        measured["record on two threads"] = records(2)
    compiling(measured)
    print(f"{'':38}{'shortest':>12}{'median':>12}{'limit':>12}")
    failed = False
    for name, times in measured.items():
        unit = "ms" if name in ("compile", "reload") else "ns"
        limit = LIMITS.get(name, float("inf"))
        failed |= min(times) > limit
        print(
            f"{name:38}{min(times):9.1f} {unit}{statistics.median(times):9.1f} {unit}{limit:9.0f}"
        )
    began = time.process_time()
    time.sleep(0.5)
    print(f"processor time of 0.5 s without a step: {(time.process_time() - began) * 1e6:.0f} us")
    can = peak()
    for label, flops, rate in (
        ("one thread", can.flops_one, can.bytes_one),
        ("all threads", can.flops_all, can.bytes_all),
    ):
        print(f"{label}: at most {flops / 1e9:.0f} GFLOP/s in float32, {rate / 1e9:.1f} GB/s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
