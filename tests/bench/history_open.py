"""Measure how long the history of a finished run takes to open: 1,000,000 recorded steps.

    python tests/bench/history_open.py [--steps 1000000] [--rounds 5] [--limit 0.3]

Reads the file of three tracked values and thins them to the 2,000 points that a view draws at
first; then thins a tenth of the steps, as zooming in does. Writing them, in the batches of a run
and for TensorBoard too, is timed beside it. Ends with status 1 where opening takes longer than the
limit (seconds, median).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from workbench.live.event_log import EventLog
from workbench.live.history import History
from workbench.live.history_file import HistoryFile, read_history

NAMES = ("loss", "accuracy", "learning_rate")
#: A run of a thousand steps a second writes so many rows at once.
BATCH = 1000


def timed(action: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """The median of the seconds that an action takes, and its last result."""
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), result


def write(path: Path, folder: Path, steps: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Writes a run's files as the run does; returns the seconds a step for each."""
    history_seconds = event_seconds = 0.0
    with HistoryFile(path, NAMES) as file, EventLog(folder) as log:
        for start in range(0, steps.size, BATCH):
            rows = slice(start, start + BATCH)
            began = time.perf_counter()
            file.append(steps[rows], values[:, rows])
            between = time.perf_counter()
            log.scalars(NAMES, steps[rows], values[:, rows])
            history_seconds += between - began
            event_seconds += time.perf_counter() - between
    return history_seconds / steps.size, event_seconds / steps.size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_000_000, help="recorded steps")
    parser.add_argument("--rounds", type=int, default=5, help="how often it is opened")
    parser.add_argument("--limit", type=float, default=0.3, help="seconds at most (default 0.3)")
    arguments = parser.parse_args()
    count = arguments.steps
    steps = np.arange(1, count + 1)
    values = np.random.default_rng(0).normal(size=(3, count)).cumsum(axis=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "history"
        history_step, event_step = write(path, folder, steps, values)
        events = max(each.stat().st_size for each in folder.glob("events.*"))

        def view() -> History:
            opened = read_history(path)
            opened.thinned(2000)
            return opened

        opening, history = timed(view, arguments.rounds)
        zooming, _ = timed(
            lambda: history.thinned(2000, count // 2, count // 2 + count // 10), arguments.rounds
        )
        if history.count != count or history["loss"][-1] != values[0, -1]:
            raise RuntimeError("what was read is not what was written")
        print(
            f"{count:,} steps of {len(NAMES)} values: opened and thinned in {opening:.3f} s "
            f"(limit {arguments.limit:g}), a tenth of them thinned in {zooming * 1e3:.2f} ms\n"
            f"written in {history_step * 1e6:.2f} us a step ({path.stat().st_size / 1e6:.0f} MB), "
            f"for TensorBoard in {event_step * 1e6:.2f} us ({events / 1e6:.0f} MB)"
        )
    appended = History(NAMES)
    began = time.perf_counter()
    for step, row in enumerate(values.T[:100_000].tolist()):
        appended.append(step, row)
    print(f"recorded in memory in {(time.perf_counter() - began) * 10:.2f} us a step")
    return int(opening > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
