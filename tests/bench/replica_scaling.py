"""Two replicas on two processors beside one on one: samples a second of synchronous training.

    python -m tests.bench.replica_scaling [--workloads perceptron convolutional] [--rounds 3]

Each replica has one thread and one processor, and a batch of its own; rounds of one and of two
alternate. The figures are medians over the rounds.
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


def run(workload: str, replicas: int, way: str) -> float:
    """The milliseconds of a step, of the slowest replica."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(PEERS)])}
    with Roster(replicas) as roster:
        processes = [
            subprocess.Popen(
                [sys.executable, str(PROGRAM), workload, roster.address, str(number), way],
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
    return max(1e3 * json.loads(output.splitlines()[-1]) for output in outputs)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workloads", nargs="+", default=["perceptron", "convolutional"])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'ms a step':16}{'plain':>10}{'one':>10}{'two':>10}{'speed-up':>10}")
    for workload in options.workloads:
        plain, one, two = [], [], []
        for _ in range(options.rounds):
            plain.append(run(workload, 1, "plain"))
            one.append(run(workload, 1, "replica"))
            two.append(run(workload, 2, "replica"))
        middle = [statistics.median(times) for times in (plain, one, two)]
        # Beside a session without replicas: cutting the step in two counts as a cost.
        speed_up = 2 * middle[0] / middle[2]
        print(f"{workload:16}" + "".join(f"{t:10.3f}" for t in middle) + f"{speed_up:10.2f}")


if __name__ == "__main__":
    main()
