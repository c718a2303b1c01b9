"""Measure what observing a run costs: everything, ten times a second, against nothing.

    python tests/bench/observer_cost.py [--rounds 12] [--window 2] [--limit 1.02] [--growth 4]

For networks whose steps take about 1, 5 and 20 ms, one run goes on and on; windows in which every
channel is observed (a thread takes each frame, as a panel does, and one tensor is tapped) come in
turn with windows in which nothing is. The answer is the median of the ratios of neighbours, so that
a machine busy for a while slows both alike: of the time a step takes, and of the processor's time,
which other programs disturb less. Ends with status 1 where the lower of the two is above the limit,
where the memory in use grows by more than the given MiB, or where no frames come.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

# One thread: else the library's threads wait for each other whenever the machine is busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import workbench as wb

PATIENCE = 120.0


class Window(NamedTuple):
    """What a stretch of a run took: per step, seconds and seconds of the processor."""

    seconds: float
    processor: float


def network(batch: int, filters: int, units: int) -> tuple[Any, Any, Any]:
    """A convolutional classifier of 12 x 12 images: its feed, loss and training operation."""
    random = np.random.default_rng(0)
    images = random.normal(size=(8 * batch, 12, 12, 1)).astype(np.float32)
    labels = random.integers(0, 10, 8 * batch)
    x = wb.placeholder(wb.float32, [None, 12, 12, 1], name="x")
    y = wb.placeholder(wb.int64, [None], name="y")
    hidden = x
    if filters:
        hidden = wb.layers.conv2d(hidden, filters, 3, padding="same", activation=wb.nn.relu)
        hidden = wb.layers.max_pooling2d(hidden, 2, 2)
    hidden = wb.reshape(hidden, [-1, int(np.prod(hidden.shape.as_list()[1:]))])
    hidden = wb.layers.dense(hidden, units, wb.nn.relu, name="hidden")
    logits = wb.layers.dense(wb.nn.dropout(hidden, 0.8), 10)
    losses = wb.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    loss = wb.reduce_mean(losses, name="loss")
    train = wb.train.AdamOptimizer(1e-4).minimize(loss)
    return wb.batches({x: images, y: labels}, batch, shuffle=True, seed=0), loss, train


#: About how long a step takes on a machine of the kind this was written on, in ms.
WORKLOADS = {1: (64, 0, 256), 5: (32, 16, 128), 20: (128, 24, 192)}


@contextmanager
def observed(run: Any) -> Iterator[list[int]]:
    """Everything is observed, and a thread takes the frames; gives how many there were."""
    observation = run.observe(
        ["time", "memory", "calls", "mean", "deviation", "zeros", "nonfinite"]
    )
    tap = run.tap("hidden/Relu:0")
    ended = threading.Event()
    frames = [0]

    def take() -> None:
        last = None
        while not ended.wait(0.1):
            frame = observation.latest()
            if frame is not last:
                frames[0] += 1
                last = frame
            tap.latest()

    reader = threading.Thread(target=take)
    reader.start()
    try:
        yield frames
    finally:
        ended.set()
        reader.join(PATIENCE)
        tap.close()
        observation.close()


def window(run: Any, seconds: float) -> Window:
    """Lets the run go on for a while."""
    step, began, processor = run.step_number, time.perf_counter(), time.process_time()
    time.sleep(seconds)
    steps = run.step_number - step
    if not steps:
        raise RuntimeError(f"no step in {seconds:g} s: the run is {run.state}")
    took, used = time.perf_counter() - began, time.process_time() - processor
    return Window(took / steps, used / steps)


def resident() -> float:
    """The memory in use, in MiB; 0.0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


def measure(workload: int, rounds: int, seconds: float) -> tuple[str, float, float, float]:
    """A line of results; the lower ratio, the growth of memory in MiB, frames a second."""
    with wb.Graph().as_default():
        feed, loss, train = network(*WORKLOADS[workload])
        with wb.run(train, feed=feed, track={"loss": loss}, folder=None, snapshot_bytes=1) as run:
            windows: dict[bool, list[Window]] = {False: [], True: []}
            frames, cost, memory = 0, 0.0, 0.0
            for number in range(rounds + 1):
                order = (False, True) if number % 2 == 0 else (True, False)
                for is_observed in order:
                    if is_observed:
                        with observed(run) as seen:
                            found = window(run, seconds)
                            cost = max(cost, run.status().observer_cost)
                        frames += seen[0] if number else 0
                    else:
                        found = window(run, seconds)
                    # The first of each is to warm up.
                    if number:
                        windows[is_observed].append(found)
                    else:
                        memory = resident()
            growth = resident() - memory
    plain, watched = (
        Window(*(statistics.median(values) for values in zip(*windows[each], strict=True)))
        for each in (False, True)
    )
    pairs = list(zip(windows[False], windows[True], strict=True))
    ratios = (
        statistics.median(b.seconds / a.seconds for a, b in pairs),
        statistics.median(b.processor / a.processor for a, b in pairs),
    )
    rate = frames / (rounds * seconds)
    text = (
        f"{plain.seconds * 1e3:6.2f} ms a step, observed {watched.seconds * 1e3:6.2f}: "
        f"ratio {ratios[0]:.3f}, of processor time {ratios[1]:.3f}; observer's own cost at most "
        f"{cost:.3f}; {rate:.1f} frames a second; memory +{growth:.1f} MiB"
    )
    return text, min(ratios), growth, rate


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="pairs of windows (default 12)")
    parser.add_argument("--window", type=float, default=2.0, help="seconds each (default 2)")
    parser.add_argument("--limit", type=float, default=1.02, help="highest ratio (default 1.02)")
    parser.add_argument("--growth", type=float, default=4.0, help="most MiB (default 4)")
    arguments = parser.parse_args()
    failed = False
    for workload in WORKLOADS:
        text, ratio, growth, rate = measure(workload, arguments.rounds, arguments.window)
        print(text, flush=True)
        failed |= ratio > arguments.limit or growth > arguments.growth or rate < 1
    print(f"limits: ratio {arguments.limit:g}, memory +{arguments.growth:g} MiB")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
