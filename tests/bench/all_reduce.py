"""All-reduce between two processes of this host, beside gloo's.

    python -m tests.bench.all_reduce [torch=PYTHON] [--rounds 5] [--wire]

Each engine has two processes, one on each of two processors; rounds of the engines alternate. The
figures are medians over the rounds, of the slower rank. With gloo as the peer the program ends with
an error where a size takes more than half of its time.
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
PROGRAM = ROOT / "tests" / "bench" / "peers" / "all_reduce_program.py"
SIZES = {"4 kB": 1 << 10, "4 MB": 1 << 20, "40 MB": 10 << 20}
#: The most that the workbench may take of gloo's time.
LIMIT = 0.5


def run(engine: str, python: str) -> dict[str, float]:
    """The seconds of an operation by size, of the slower rank."""
    members = [f"tcp://{address}" for address in addresses(member=2)["member"]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [python, str(PROGRAM), engine, str(rank), json.dumps(members), json.dumps(SIZES)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for rank in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=300)[0] for process in processes]
        if any(process.returncode for process in processes):
            sys.exit(f"{engine} failed")
    finally:
        for process in processes:
            process.kill()
            process.wait()
    found = [json.loads(output.splitlines()[-1]) for output in outputs]
    return {size: max(each[size] for each in found) for size in SIZES}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peers", nargs="*", help="torch=PYTHON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wire", action="store_true", help="time the wire between them too")
    options = parser.parse_args()
    engines = {"shared": sys.executable}
    if options.wire:
        engines["wire"] = sys.executable
    engines.update(peer.split("=", 1) for peer in options.peers)
    rounds: dict[str, list[dict[str, float]]] = {engine: [] for engine in engines}
    for _ in range(options.rounds):
        for engine, python in engines.items():
            rounds[engine].append(run(engine, python))
    print(f"{'ms':10}" + "".join(f"{engine:>12}" for engine in engines))
    is_slow = False
    for size in SIZES:
        middle = {e: statistics.median(f[size] for f in found) for e, found in rounds.items()}
        line = f"{size:10}" + "".join(f"{1e3 * middle[e]:12.3f}" for e in engines)
        if "torch" in middle:
            ratio = middle["shared"] / middle["torch"]
            line += f"   {ratio:.2f} of gloo"
            is_slow = is_slow or ratio > LIMIT
        print(line)
    if is_slow:
        sys.exit(f"slower than {LIMIT} of gloo's time")


if __name__ == "__main__":
    main()
