"""A training with parameter servers and workers in processes: seconds to so many global steps.

    python -m tests.bench.replicas [tensorflow=PYTHON] [--steps 1000] [--workers 2] [--servers 1]

Rounds of the engines alternate; the figures are medians over the rounds, of the longest worker:
seconds from the moment that all have their sessions to the last global step, milliseconds for each
global step after the first hundred, and what the first step of a worker took.
Ends with an error where more than half of TensorFlow's time is taken.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from tests.cluster.servers import addresses

ROOT = Path(__file__).resolve().parents[2]
#: Of TensorFlow's time.
LIMIT = 0.5
PROGRAM = ROOT / "tests" / "bench" / "peers" / "replica_program.py"


def run(engine: str, python: str, mode: str, workers: int, servers: int, steps: int) -> dict:
    """The figures of the workers of one training."""
    spec = addresses(ps=servers, worker=workers)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}

    def start(job: str, index: int) -> subprocess.Popen[str]:
        command = [python, str(PROGRAM), engine, json.dumps(spec), job, str(index), mode]
        return subprocess.Popen(
            [*command, str(steps)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    held = [start("ps", i) for i in range(servers)]
    training = [start("worker", i) for i in range(workers)]
    try:
        found = []
        for process in training:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                sys.exit(f"{engine} failed at {mode}")
        for process in training:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in training:
            output, _ = process.communicate(timeout=600)
            if process.returncode:
                sys.exit(f"{engine} failed at {mode}")
            found.append(json.loads(output.splitlines()[-1]))
    finally:
        for process in held + training:
            process.kill()
            process.wait()
    return {
        "seconds": max(f["seconds"] for f in found),
        "step": max(f["step"] for f in found),
        "first": max(f["first"] for f in found),
        "loss": statistics.mean(f["loss"] for f in found),
        "global": max(f["global"] for f in found),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peers", nargs="*", help="tensorflow=PYTHON")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--modes", default="async,sync")
    options = parser.parse_args()
    engines = {"workbench": sys.executable}
    engines.update(peer.split("=", 1) for peer in options.peers)
    load = os.getloadavg()[0]
    print(f"load {load:.1f}")
    print(f"{'':24}{'seconds':>10}{'ms a step':>12}{'first step':>12}{'loss':>9}{'steps':>8}")
    slow = []
    for mode in options.modes.split(","):
        rounds: dict[str, list[dict]] = {engine: [] for engine in engines}
        for _ in range(options.rounds):
            for engine, python in engines.items():
                rounds[engine].append(
                    run(engine, python, mode, options.workers, options.servers, options.steps)
                )
        seconds = {}
        for engine, found in rounds.items():
            middle = {k: statistics.median(f[k] for f in found) for k in found[0]}
            seconds[engine] = middle["seconds"]
            print(
                f"{mode + ' ' + engine:24}{middle['seconds']:10.2f}{middle['step']:12.2f}"
                f"{middle['first']:12.2f}{middle['loss']:9.4f}{middle['global']:8.0f}",
                flush=True,
            )
        if "tensorflow" in seconds:
            ratio = seconds["workbench"] / seconds["tensorflow"]
            print(f"{mode}: {ratio:.2f} of TensorFlow's time")
            if ratio > LIMIT:
                slow.append(mode)
    if slow:
        sys.exit(f"{' and '.join(slow)}: more than {LIMIT} of TensorFlow's time")


if __name__ == "__main__":
    main()
