"""Two replicas on two processors beside one on one: samples a second of synchronous training.

    python -m tests.bench.replica_scaling [--workloads A B] [--forms shared ...] [--seconds 50]

Two processes, each with one thread and bound to a processor of its own, stay for all that is
measured of a workload and a form. They take short blocks of steps by turns:

- "one": the plain step of a session, `session.run([loss, train_op])`, on the first processor while
  the second has nothing to do, and then the other way around. One replica on one processor takes
  the mean of the two: whatever replication costs counts as a cost.
- "beside": both processes take plain steps at once, each for itself. What it costs that they share
  a memory is seen here, and no replication can be faster.
- "two": both processes take a step together, each with a batch as large as that of the one.

Each block gives the median of its steps, of the slower process where there are two. A round is one
block of each kind, in an order that is turned around from round to round, so that what disturbs the
machine for a second or more disturbs all that is compared. The speed-up of a round is twice the
time of "one" over that of "two", and "memory" is that of "beside" in the place of "two".

A host with other guests slows its processors down one by one, at times by half, and a step of two
waits for the slower one. So the figures are medians over the "even" rounds, in which both
processors were as fast when alone. Behind them stands the speed-up of all rounds, and what that is
against the "slower" processor alone: where the latter is more, the rest is the host's.

`--forms` are how gradients go from one to the other: by "shared" memory or the "wire" (TCP on
loopback), in 32 bits or, as "shared-bfloat16", in a shorter encoding. The program ends with an
error where the speed-up by shared memory is below its limit (for A: in 16 bits) on a machine that
has been left alone: the load is printed for that, and how many rounds were even.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from workbench.cluster.replication.roster import Roster

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests" / "bench" / "peers"
PROGRAM = PEERS / "scaling_program.py"
#: What two replicas must reach at least.
LIMITS = {("A", "shared-bfloat16"): 1.7, ("B", "shared"): 1.8}
#: With more load than this the limits say nothing: two programs run here anyway.
_MOST_LOAD = 3.0
#: How long a block takes, about; and how many steps it has at least.
_BLOCK_SECONDS, _FEWEST_STEPS = 0.1, 3
#: How much slower than the other one a processor is at most in an even round.
_EVEN = 1.05
#: With fewer even rounds than this the limits say nothing either.
_FEWEST_EVEN = 10
#: When processes that do not answer are given up.
_PATIENCE = 300.0


class Round(NamedTuple):
    """The seconds of a step: alone on each processor, beside another one, and with it."""

    alone: tuple[float, float]
    beside: float
    together: float

    @property
    def one(self) -> float:
        """The seconds of one replica on one processor."""
        return statistics.mean(self.alone)

    @property
    def is_even(self) -> bool:
        """Whether both processors were as fast."""
        return max(self.alone) <= _EVEN * min(self.alone)

    @property
    def speed_up(self) -> float:
        """The samples a second of two replicas, in those of one."""
        return 2 * self.one / self.together

    @property
    def against_slower(self) -> float:
        """The same, in those of one on the slower processor."""
        return 2 * max(self.alone) / self.together

    @property
    def of_memory(self) -> float:
        """The speed-up of two that have nothing to do with each other."""
        return 2 * self.one / self.beside


class Pair:
    """Two processes that take steps as they are told."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes
        self._answers(processes)

    def run(self, way: str, steps: int, number: int | None = None) -> float:
        """The seconds of a step of the slower process, or of the one with a number alone."""
        processes = self._processes if number is None else [self._processes[number]]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{way} {steps}\n")
            process.stdin.flush()
        return max(float(answer) for answer in self._answers(processes))

    @staticmethod
    def _answers(processes: list[subprocess.Popen[str]]) -> list[str]:
        answers = [process.stdout.readline() for process in processes if process.stdout is not None]
        if not all(answers):
            sys.exit("a replica failed, or was given up")
        return answers


@contextlib.contextmanager
def pair(workload: str, form: str, seconds: float) -> Iterator[Pair]:
    """Two processes that have warmed up, for so many seconds."""
    processors = sorted(os.sched_getaffinity(0))[:2]
    if len(processors) < 2:
        sys.exit("two replicas need two processors")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(PEERS)])}
    # NumPy's threads would share the one processor, in the steps before programs are compiled.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    with Roster(2) as roster:
        processes = [
            subprocess.Popen(
                [sys.executable, str(PROGRAM), workload, roster.address, str(processor), form],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for processor in processors
        ]

        def give_up() -> None:
            for process in processes:
                process.kill()

        timer = threading.Timer(seconds + _PATIENCE, give_up)
        timer.start()
        try:
            yield Pair(processes)
        finally:
            timer.cancel()
            give_up()
            for process in processes:
                # Which closes its pipes, too.
                with process:
                    pass


def measure(workload: str, form: str, seconds: float) -> list[Round]:
    """Rounds for about so many seconds."""
    rounds: list[Round] = []
    with pair(workload, form, seconds) as both:
        end = time.monotonic() + seconds
        step = both.run("plain", _FEWEST_STEPS)
        steps = max(_FEWEST_STEPS, round(_BLOCK_SECONDS / step))
        while not rounds or time.monotonic() < end:
            blocks = [("plain", 0), ("plain", 1), ("plain", None), ("replica", None)]
            order = blocks[:: -1 if len(rounds) % 2 else 1]
            found = {block: both.run(block[0], steps, block[1]) for block in order}
            first, second, beside, together = (found[block] for block in blocks)
            rounds.append(Round((first, second), beside, together))
    return rounds


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workloads", nargs="+", default=["A", "B"])
    parser.add_argument("--forms", nargs="+", default=["shared", "shared-bfloat16"])
    parser.add_argument("--seconds", type=float, default=50, help="for each workload and form")
    options = parser.parse_args()
    print(
        f"{'ms a step':20}{'one':>9}{'beside':>9}{'two':>9}{'speed-up':>11}{'memory':>9}"
        f"{'even':>7}{'of all':>8}{'speed-up':>11}{'slower':>9}   load"
    )
    is_slow = False
    for workload in options.workloads:
        for form in options.forms:
            rounds = measure(workload, form, options.seconds)
            load = os.getloadavg()[0]
            even = [r for r in rounds if r.is_even]
            print(
                f"{workload + ' ' + form:20}"
                f"{1e3 * middle(r.one for r in even):9.3f}"
                f"{1e3 * middle(r.beside for r in even):9.3f}"
                f"{1e3 * middle(r.together for r in even):9.3f}"
                f"{middle(r.speed_up for r in even):11.2f}"
                f"{middle(r.of_memory for r in even):9.2f}"
                f"{len(even):7}{len(rounds):8}"
                f"{middle(r.speed_up for r in rounds):11.2f}"
                f"{middle(r.against_slower for r in rounds):9.2f}   {load:.1f}",
                flush=True,
            )
            if load <= _MOST_LOAD and len(even) >= _FEWEST_EVEN:
                limit = LIMITS.get((workload, form), 0)
                is_slow = is_slow or middle(r.speed_up for r in even) < limit
    if is_slow:
        sys.exit(f"slower than {LIMITS}")


def middle(values: Iterable[float]) -> float:
    """The median; not a number where there are no values."""
    given = list(values)
    return statistics.median(given) if given else math.nan


if __name__ == "__main__":
    main()
