"""Trainings on up to 500 machines, simulated with what was measured on this one.

    python -m tests.bench.simulate_trainings [--rounds 2] [--chart PAGE.html]

First the constants of the model are measured, each apart: what a gradient takes to compute, what
Python and waking up take in a step, what bytes and updates take, how long a processor is had
where others want it. Then the model tells how fast trainings of 2, 3 and 4 processes are on this
machine, beside how fast they are; rounds of all runs alternate, and figures are medians over the
rounds. Last it tells of many machines, beside the figures of TensorFlow's talk of 2016. It ends
with an error where the model is wrong by more than 15 % and nothing else kept the processors busy.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.simulation.inputs import SIZE, Inputs
from tests.bench.simulation.runs import Measured, run
from tests.bench.simulation.scale import assumptions, curves, save_chart, table, trainings
from workbench.cluster.simulation.costs import TrainingCosts
from workbench.cluster.simulation.reductions import all_reduce
from workbench.cluster.simulation.trainings import asynchronous, synchronous_turns

#: The share by which the model may be wrong.
TOLERANCE = 0.15
MODELS: dict[str, Callable[[TrainingCosts, int], float]] = {
    "asynchronous": asynchronous,
    "synchronous": synchronous_turns,
    "all-reduce": all_reduce,
}
#: What is checked: ways of training, and workers; with the server, 2, 3 and 4 processes.
CHECKS = [
    *((way, workers) for way in ("asynchronous", "synchronous") for workers in (1, 2, 3)),
    *(("all-reduce", replicas) for replicas in (2, 3, 4)),
]


def show_constants(inputs: Inputs) -> None:
    """Prints the model's constants, in microseconds."""
    machine = inputs.machine
    network = statistics.median(inputs.network)
    print(
        f"a gradient {inputs.compute * 1e6:.0f} us; {SIZE / 1e3:.0f} kB applied in "
        f"{inputs.apply * 1e6:.0f} us, each way {inputs.byte * SIZE * 1e6:.0f} us at either end, "
        f"through TCP {network * SIZE * 1e6:.0f} us;\n{machine.processors} processors, each had "
        f"for {machine.slice * 1e3:.1f} ms, slower by {machine.together:.2f} together"
    )
    head = ("worker", "server", "once", "at it", "added", "hop")
    print(f"{'us':14}" + "".join(f"{name:>9}" for name in head))
    for way in MODELS:
        costs = inputs.costs(way)
        figures = (
            *(costs.worker, costs.server, costs.chief_worker, costs.chief_server),
            *(costs.accumulate, costs.wire.hop),
        )
        print(f"{way:14}" + "".join(f"{figure * 1e6:9.0f}" for figure in figures))


def show_checks(inputs: Inputs, checked: dict[tuple[str, int], list[Measured]]) -> float:
    """Prints what the model tells beside what was measured; the largest error."""
    worst = 0.0
    print(
        f"\n{'steps a second':14}{'processes':>10}{'measured':>10}{'model':>10}{'error':>8}"
        f"{'busy':>7}"
    )
    for (way, workers), found in checked.items():
        rate = statistics.median(each.rate for each in found)
        told = MODELS[way](inputs.costs(way), workers)
        error = told / rate - 1
        worst = max(worst, abs(error))
        processes = workers + (way != "all-reduce")
        busy = statistics.median(each.busy for each in found)
        print(f"{way:14}{processes:10}{rate:10.0f}{told:10.0f}{error:8.0%}{busy:7.2f}")
    return worst


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--chart", type=Path, help="where to save a page with the curves")
    options = parser.parse_args()
    began, load = time.monotonic(), os.getloadavg()[0]
    print(f"load before: {load:.2f}")
    inputs = Inputs()
    checked: dict[tuple[str, int], list[Measured]] = {key: [] for key in CHECKS}
    for _ in range(options.rounds):
        inputs.measure()
        for way, workers in CHECKS:
            checked[way, workers].append(run(way, "whole", workers))
    show_constants(inputs)
    worst = show_checks(inputs, checked)
    print(f"\nspeed-ups over one worker\n{assumptions()}", flush=True)
    drawn = []
    for title, seconds in trainings(inputs).items():
        drawn.append(curves(inputs, title, seconds))
        print(f"\n{table(drawn[-1])}", flush=True)
    if options.chart is not None:
        save_chart(drawn, options.chart)
    print(f"\n{time.monotonic() - began:.0f} s")
    if worst > TOLERANCE:
        told = f"the model is wrong by {worst:.0%}"
        if load > 0.5:
            print(f"{told}; the machine was busy, which it knows nothing of")
        else:
            sys.exit(told)


if __name__ == "__main__":
    main()
