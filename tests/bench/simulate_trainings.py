"""Trainings on up to 500 machines, simulated with what was measured on this one.

    python -m tests.bench.simulate_trainings [--kinds asynchronous,synchronous,all-reduce]
        [--seconds 100] [--calibration FILE] [--network 10gbit|loopback] [--chart PAGE.html]

First the constants of the model are measured, each apart: what a gradient takes to compute, what
each part of a step takes of Python, what bytes and updates take, what waking up takes, how long a
processor is had where others want it. Then the model tells how fast trainings of 2, 3 and 4
processes are on this machine, beside how fast they are; all runs go on in short blocks by turns,
and figures are medians over these blocks, told at one pace (`tests.bench.simulation.pace`). Last it
tells of many machines, beside the figures of TensorFlow's talk of 2016.

What is measured goes to FILE, where it is given, to what is there: blocks that count may take
several looks where the machine is seldom calm. `--kinds` has some ways of training measured, those
of others are used as they are in FILE; with `--kinds none` nothing is measured. It ends with an
error where the model is wrong by more than 15 % in runs that nothing disturbed, of which there are
three blocks at least.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.simulation import constants
from tests.bench.simulation.inputs import CHECKS, RUNS, Inputs, load, save
from tests.bench.simulation.runs import undisturbed
from tests.bench.simulation.scale import (
    NETWORKS,
    assumptions,
    curves,
    line,
    save_chart,
    table,
    trainings,
)
from workbench.cluster.simulation.reductions import all_reduce
from workbench.cluster.simulation.trainings import asynchronous, synchronous

#: The share by which the model may be wrong.
TOLERANCE = 0.15
MODELS: dict[str, Callable[[Any, int], float]] = {
    "asynchronous": asynchronous,
    "synchronous": synchronous,
    "all-reduce": all_reduce,
}


def show_constants(found: dict[str, Inputs]) -> None:
    """Prints the model's constants."""
    for way, inputs in found.items():
        costs, here = constants.CONSTANTS[way](inputs), constants.machine(inputs)
        print(
            f"\n{way}: a gradient {constants.compute_seconds(inputs) * 1e6:.0f} us; "
            f"{here.processors} processors, each had for {here.slice * 1e3:.1f} ms, slower by "
            f"{here.together:.2f} together; waking up {costs.wake * 1e6:.0f} us"
        )
        if costs.crowd is not None:
            print(
                f"more processes than processors: waking up {costs.crowd.wake * 1e6:.0f} us, all "
                f"but gradients takes {costs.crowd.times:.2f} times as long"
            )
        turns = constants.turns(costs)
        if turns:
            print(f"{'us':14}{'before':>10}{'with bytes':>12}{'after':>10}")
        for name, each in turns.items():
            size = each.before.byte * costs.size
            figures = (each.before.seconds * 1e6, size * 1e6, each.after * 1e6)
            print(f"{name:14}{figures[0]:10.0f}{figures[1]:12.0f}{figures[2]:10.0f}")
        quartiles = "; ".join(f"{name} {share:.0%}" for name, share in inputs.spreads())
        print(f"quartiles apart, of medians: {quartiles}")


def show_checks(found: dict[str, Inputs]) -> float:
    """Prints what the model tells beside what was measured.

    The largest error of runs that were not disturbed.
    """
    worst = 0.0
    print(
        f"\n{'steps a second':14}{'processes':>10}{'measured':>10}{'model':>10}{'error':>8}"
        f"{'busy':>7}{'others':>8}{'blocks':>12}"
    )
    for way, inputs in found.items():
        costs = constants.CONSTANTS[way](inputs)
        for key in CHECKS[way]:
            seen = inputs.seen(key)
            told = MODELS[way](costs, key.workers)
            error = told / seen.rate - 1
            blocks = inputs.blocks[key]
            if undisturbed(blocks):
                worst = max(worst, abs(error))
            processes = key.workers + (way != "all-reduce")
            print(
                f"{way:14}{processes:10}{seen.rate:10.0f}{told:10.0f}{error:8.0%}{seen.busy:7.2f}"
                f"{seen.others:8.2f}{len(undisturbed(blocks)):6} of {len(blocks)}"
            )
    return worst


def show_scale(found: dict[str, Inputs], network: str, chart: Path | None) -> None:
    """Prints what the model tells of many machines; draws it on a page, where one is named."""
    print(f"\nspeed-ups over one worker\n{assumptions(line(found, network))}", flush=True)
    drawn = []
    for title, seconds in trainings(found["asynchronous"]).items():
        drawn.append(curves(found, network, title, seconds))
        print(f"\n{table(drawn[-1])}", flush=True)
    if chart is not None:
        save_chart(drawn, chart)


def main() -> None:
    """The command line."""
    # So that a signal that ends it ends its processes as well.
    signal.signal(signal.SIGTERM, lambda *args: sys.exit("ended by a signal"))
    parser = argparse.ArgumentParser()
    parser.add_argument("--kinds", default=",".join(RUNS), help="what to measure; or none")
    parser.add_argument("--seconds", type=float, default=100, help="for how long, each kind")
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0], help="between machines")
    parser.add_argument("--chart", type=Path, help="where to save a page with the curves")
    parser.add_argument("--calibration", type=Path, help="where what is measured is kept")
    options = parser.parse_args()
    began, load_before = time.monotonic(), os.getloadavg()[0]
    print(f"load before: {load_before:.2f}")
    kept = options.calibration
    found = load(kept) if kept is not None and kept.exists() else {}
    for way in options.kinds.split(","):
        if way != "none":
            found.setdefault(way, Inputs()).measure(way, options.seconds)
    if kept is not None:
        save(found, kept)
    show_constants(found)
    worst = show_checks(found)
    if set(found) == set(RUNS):
        show_scale(found, options.network, options.chart)
    print(f"\n{time.monotonic() - began:.0f} s")
    if worst > TOLERANCE:
        sys.exit(f"the model is wrong by {worst:.0%}")


if __name__ == "__main__":
    main()
