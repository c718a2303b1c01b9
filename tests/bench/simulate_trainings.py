"""Trainings on up to 500 machines, simulated with what this machine's own trainings take.

    python -m tests.bench.simulate_trainings [--steps 600] [--workers 1 2 3]

First a parameter server and one worker run: the processor time of each for a step, and what is
left of the step's time, are the model's constants. Then the model tells how fast several workers
are on this machine's processors, beside how fast they are; it ends with an error where it is wrong
by more than 15 %. Last it tells of more machines, beside the figures of TensorFlow's talk of 2016.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import replace
from typing import NamedTuple

from tests.bench.replicas import PROGRAM, ROOT
from tests.cluster.servers import addresses
from workbench.cluster.simulation.costs import TrainingCosts, always, spread
from workbench.cluster.simulation.trainings import all_reduce, asynchronous, synchronous

#: The share by which the model may be wrong.
_TOLERANCE = 0.15
#: The speed-ups of the talk: workers, and how many times faster than one.
_TALK = {20: "15x", 50: "40x", 500: "300x"}
#: A training as the talk's: seconds of a step, bytes of its parameters, servers.
_STEP, _SIZE, _LINE = 2.0, 100e6, 1.25e9


class Measured(NamedTuple):
    """A training on this machine: global steps a second, and the processor time of all of it."""

    rate: float
    worker_seconds: float
    server_seconds: float


def train(workers: int, steps: int) -> Measured:
    """Runs an asynchronous training; the processor times include the processes' starts."""
    spec = addresses(ps=1, worker=workers)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(job: str, index: int) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAM), "workbench", json.dumps(spec), job, str(index)]
        return subprocess.Popen(
            [*command, "async", str(steps)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    server = start("ps", 0)
    training = [start("worker", i) for i in range(workers)]
    try:
        found, spent = [], 0.0
        for process in training:
            assert process.stdout is not None
            found.append(json.loads(process.stdout.read().splitlines()[-1]))
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            spent += usage.ru_utime + usage.ru_stime
        server.kill()
        _, _, usage = os.wait4(server.pid, 0)
        server.returncode = 0
    finally:
        for process in [server, *training]:
            process.kill()
            process.wait()
    # From the time when all were there: what each did in its own time, together.
    rate = sum(f["steps"] / f["seconds"] for f in found)
    return Measured(rate, spent, usage.ru_utime + usage.ru_stime)


def calibrate(steps: int) -> TrainingCosts:
    """The constants of the model, from two trainings of one worker that differ in length."""
    short, long = train(1, steps), train(1, 3 * steps)
    worker = (long.worker_seconds - short.worker_seconds) / (2 * steps)
    server = (long.server_seconds - short.server_seconds) / (2 * steps)
    wait = max(1 / long.rate - worker - server, 0.0)
    print(
        f"a step: {1e3 / long.rate:.2f} ms, of which worker {worker * 1e3:.2f}, "
        f"server {server * 1e3:.2f}, waiting {wait * 1e3:.2f}"
    )
    return TrainingCosts(
        always(worker),
        size=0.0,
        latency=wait / 2,
        bytes_per_second=1.0,
        answer=server / 2,
        apply=server / 2,
        cores=os.cpu_count(),
    )


def compare(costs: TrainingCosts, counts: list[int], steps: int, rounds: int) -> float:
    """Prints the model's steps a second beside the measured ones; the largest error."""
    worst = 0.0
    print(f"{'workers':>8}{'measured':>10}{'model':>10}{'error':>8}")
    for workers in counts:
        rate = statistics.median(train(workers, steps * workers).rate for _ in range(rounds))
        told = asynchronous(costs, workers)
        error = told / rate - 1
        worst = max(worst, abs(error))
        print(f"{workers:8}{rate:10.1f}{told:10.1f}{error:8.0%}", flush=True)
    return worst


def scale(costs: TrainingCosts) -> None:
    """Prints the speed-ups on many machines, of a training as large as the talk's."""
    many = replace(
        costs,
        compute=spread(_STEP, 0.1, stalls=0.01, factor=2.0),
        size=_SIZE,
        bytes_per_second=_LINE,
        servers=16,
        cores=None,
    )
    print(
        f"\nspeed-up over one worker ({_STEP} s a step, {_SIZE / 1e6:.0f} MB, 16 servers, "
        f"{_LINE * 8e-9:.0f} Gbit/s)"
    )
    print(f"{'workers':>8}{'async':>9}{'sync':>9}{'backups':>9}{'reduce':>9}{'talk':>9}")
    one = asynchronous(many, 1, 100), synchronous(many, 1), all_reduce(many, 1)
    for workers in (1, 2, 5, 10, 20, 50, 100, 200, 500):
        backups = workers // 20
        found = (
            asynchronous(many, workers, 20 * workers) / one[0],
            synchronous(many, workers) / one[1],
            synchronous(many, workers, backups) / one[1],
            all_reduce(many, workers) / one[2],
        )
        row = "".join(f"{value:9.1f}" for value in found)
        print(f"{workers:8}{row}{_TALK.get(workers, ''):>9}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    costs = calibrate(options.steps)
    worst = compare(costs, options.workers, options.steps, options.rounds)
    scale(costs)
    if worst > _TOLERANCE:
        sys.exit(f"the model is wrong by {worst:.0%}")


if __name__ == "__main__":
    main()
