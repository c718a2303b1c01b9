"""Two replicas on two processors beside one on one: samples a second of synchronous training.

    python -m tests.bench.replica_scaling [--workloads A B] [--forms shared ...] [--rounds 5]

One replica on one processor is the plain step of a session, `session.run([loss, train_op])`, on one
thread that is bound to a processor: whatever replication costs counts as a cost. Two replicas are
two processes, each with one thread on a processor of its own and a batch as large as that of the
one; a step is over when both have applied it. The speed-up is twice the time of the plain step over
that of the slower replica. Rounds alternate; the figures are medians over the rounds, each of which
is the median of 100 steps. `--forms` are how gradients go from one to the other: by "shared" memory
or the "wire" (TCP on loopback), in 32 bits or, as "shared-bfloat16", in a shorter encoding.

Beside the time it prints the processor's time of a step, and the speed-up by it: where other
programs want the processors, each step of two replicas waits for the one that is held up longer,
and only this one says what the steps cost. The load is printed for that. The program ends with an
error where the speed-up by shared memory is below its limit (for A: in 16 bits) on a machine that
has been left alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from workbench.cluster.replication.roster import Roster

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests" / "bench" / "peers"
PROGRAM = PEERS / "scaling_program.py"
#: What two replicas must reach at least.
LIMITS = {("A", "shared-bfloat16"): 1.7, ("B", "shared"): 1.8}
#: With more load than this the limits say nothing: two programs run here anyway.
_MOST_LOAD = 3.0


def run(workload: str, replicas: int, way: str, form: str) -> tuple[float, float]:
    """The milliseconds of a step, and of processor's time, of the slowest replica."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(PEERS)])}
    # NumPy's threads would share the one processor, in the steps before programs are compiled.
    environment["OPENBLAS_NUM_THREADS"] = "1"
    with Roster(replicas) as roster:
        processes = [
            subprocess.Popen(
                [
                    *(sys.executable, str(PROGRAM), workload),
                    *(roster.address, str(number), way, form),
                ],
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for number in range(replicas)
        ]
        try:
            outputs = [process.communicate(timeout=300)[0] for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.wait()
    if any(process.returncode for process in processes):
        sys.exit(f"{workload} failed with {replicas} replicas")
    found = [json.loads(output.splitlines()[-1]) for output in outputs]
    wall, worked = (max(1e3 * each[n] for each in found) for n in range(2))
    return wall, worked


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workloads", nargs="+", default=["A", "B"])
    parser.add_argument("--forms", nargs="+", default=["shared", "shared-bfloat16"])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{'ms a step':20}{'one':>9}{'two':>9}{'speed-up':>10}   of processor's time, load")
    is_slow = False
    for workload in options.workloads:
        for form in options.forms:
            ones, twos, loads = [], [], []
            for _ in range(options.rounds):
                ones.append(run(workload, 1, "plain", form))
                loads.append(os.getloadavg()[0])
                twos.append(run(workload, 2, "replica", form))
            one, two = (
                [statistics.median(t) for t in zip(*all_, strict=True)] for all_ in (ones, twos)
            )
            ratios = [2 * a / b for a, b in zip(one, two, strict=True)]
            print(
                f"{workload + ' ' + form:20}{one[0]:9.3f}{two[0]:9.3f}{ratios[0]:10.2f}"
                f"{one[1]:12.3f}{two[1]:9.3f}{ratios[1]:8.2f}   load {max(loads):.1f}"
            )
            if (workload, form) in LIMITS and max(loads) <= _MOST_LOAD:
                is_slow = is_slow or ratios[0] < LIMITS[workload, form]
    if is_slow:
        sys.exit(f"slower than {LIMITS}")


if __name__ == "__main__":
    main()
