"""Measure what observing a run costs: everything, ten times a second, against nothing.

    python tests/bench/observer_cost.py [--rounds 12] [--window 1.5] [--limit 1.02] [--growth 4]

For networks whose steps take about 1, 5 and 20 ms, one run goes on and on; short windows in which
every channel is observed (a thread takes each frame, as a panel does, and one tensor is tapped)
come in turn with windows in which nothing is. Three ratios come of it:

- of the medians of the time that a step takes in the two kinds of windows, by the clock;
- the same by the processor's time of the thread that runs the steps;
- of the steps themselves, which a busy machine disturbs least: what an observed step and the four
  after it take beyond the plain steps around them, the median of all looks, times the looks, and
  what the thread that takes the frames works, as a share of all steps.

Where other programs are busy the first two say more of them than of the observer: two kinds of
windows without any observer differ by some hundredths then. So the last is held to the limit, and
how long the steps waited for a processor is said beside it. Ends with status 1 above the limit,
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
from workbench.live.commands import Call

PATIENCE = 120.0


class Window(NamedTuple):
    """What a stretch of a run took: per step, seconds and seconds of the processor."""

    seconds: float
    processor: float


class Steps:
    """Times the steps of a run from inside, by the processor's time of their thread."""

    #: How many steps after an observed one may be slower for it.
    AFTER = 4

    def __init__(self, run: Any) -> None:
        self.run = run
        self.took: list[float] = []
        self.looks: list[int] = []
        self._observer = run._loop.observer
        self._advance = run._loop.engine.advance
        run._loop.engine.advance = self._timed

    def _timed(self, observer: Any = None) -> Any:
        count = self._observer.count
        began = time.thread_time()
        results = self._advance(observer)
        self.took.append(time.thread_time() - began)
        if self._observer.count > count:
            self.looks.append(len(self.took) - 1)
        return results

    def clear(self) -> None:
        """Forgets all of it; between two steps."""
        self.took.clear()
        self.looks.clear()

    def share(self) -> tuple[float, float, float]:
        """What looks took beyond plain steps: of the time of all steps; of one look; its error."""
        took, extra = np.array(self.took), []
        for look in self.looks:
            near = np.r_[took[max(0, look - 20) : look], took[look + self.AFTER :][:20]]
            if len(near) > 20:
                extra.append(took[look : look + self.AFTER] - np.median(near))
        each = float(np.median(extra, axis=0).sum())
        plain = float(np.median(took)) * len(took)
        apart = np.abs(extra - np.median(extra, axis=0))
        error = float(np.sqrt((np.median(apart, axis=0) ** 2).sum() / len(extra))) * 1.48 * 1.25
        return len(self.looks) * each / plain, each, error


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
WORKLOADS = {1: (64, 0, 320), 5: (64, 20, 128), 20: (256, 24, 192)}


@contextmanager
def observed(run: Any) -> Iterator[list[float]]:
    """Everything is observed, and a thread takes the frames: how many, and what that worked."""
    observation = run.observe(
        ["time", "memory", "calls", "mean", "deviation", "zeros", "nonfinite"]
    )
    tap = run.tap("hidden/Relu:0")
    ended = threading.Event()
    taken = [0.0, 0.0]

    def take() -> None:
        last = None
        while not ended.wait(0.1):
            frame = observation.latest()
            if frame is not last:
                taken[0] += 1
                last = frame
            tap.latest()
        taken[1] = time.thread_time()

    reader = threading.Thread(target=take)
    reader.start()
    try:
        yield taken
    finally:
        ended.set()
        reader.join(PATIENCE)
        tap.close()
        observation.close()


def window(run: Any, seconds: float) -> Window:
    """Lets the run go on for a while."""

    def now() -> tuple[int, float, float]:
        value: tuple[int, float, float] = (
            run.submit(Call(lambda: (run.step_number, time.perf_counter(), time.thread_time())))
            .result(PATIENCE)
            .value
        )
        return value

    first = now()
    time.sleep(seconds)
    last = now()
    steps = last[0] - first[0]
    if not steps:
        raise RuntimeError(f"no step in {seconds:g} s: the run is {run.state}")
    return Window((last[1] - first[1]) / steps, (last[2] - first[2]) / steps)


def resident() -> float:
    """The memory in use, in MiB; 0.0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


class Found(NamedTuple):
    """What was measured for one size of steps."""

    text: str
    ratio: float
    #: MiB.
    growth: float
    #: Frames a second.
    rate: float


def measure(workload: int, rounds: int, seconds: float) -> Found:
    """Windows of both kinds in turn, for one size of steps."""
    with wb.Graph().as_default():
        feed, loss, train = network(*WORKLOADS[workload])
        with wb.run(train, feed=feed, track={"loss": loss}, folder=None, snapshot_bytes=1) as run:
            steps = Steps(run)
            with observed(run):
                window(run, 2.0)  # to warm up
            memory = resident()
            run.submit(Call(steps.clear)).result(PATIENCE)
            windows: dict[bool, list[Window]] = {False: [], True: []}
            frames = reading = cost = 0.0
            for number in range(rounds):
                for is_observed in (False, True) if number % 2 else (True, False):
                    if not is_observed:
                        windows[False].append(window(run, seconds))
                        continue
                    with observed(run) as taken:
                        windows[True].append(window(run, seconds))
                        cost = max(cost, run.status().observer_cost)
                    frames += taken[0]
                    reading += taken[1]
            growth = resident() - memory
    plain, watched = (
        Window(*(statistics.median(values) for values in zip(*windows[each], strict=True)))
        for each in (False, True)
    )
    # Half of the windows had looks; only their steps are to bear them.
    share, look, error = steps.share()
    share = 2 * share + reading / (rounds * seconds * plain.processor / plain.seconds)
    rate = frames / (rounds * seconds)
    text = (
        f"{plain.seconds * 1e3:.2f} ms a step, {plain.processor * 1e3:.2f} of the processor: "
        f"ratio {1 + share:.4f} (a look {look * 1e6:.0f} us, +-{error * 1e6:.0f}); of medians by "
        f"the clock {watched.seconds / plain.seconds:.3f}, by the processor "
        f"{watched.processor / plain.processor:.3f}; own account {cost:.3f}; "
        f"{rate:.1f} frames a second; memory +{growth:.1f} MiB; waiting for a processor or data "
        f"{1 - plain.processor / plain.seconds:.0%}"
    )
    return Found(text, 1 + share, growth, rate)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="pairs of windows (default 12)")
    parser.add_argument("--window", type=float, default=1.5, help="seconds each (default 1.5)")
    parser.add_argument("--limit", type=float, default=1.02, help="highest ratio (default 1.02)")
    parser.add_argument("--growth", type=float, default=4.0, help="most MiB (default 4)")
    arguments = parser.parse_args()
    failed = False
    for workload in WORKLOADS:
        found = measure(workload, arguments.rounds, arguments.window)
        print(found.text, flush=True)
        failed |= found.ratio > arguments.limit or found.growth > arguments.growth or found.rate < 1
    print(f"limits: ratio {arguments.limit:g}, memory +{arguments.growth:g} MiB")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
