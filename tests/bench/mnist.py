"""MNIST to 99 % of the test images recognised: wall time from the start of the process.

    python -m tests.bench.mnist [FOLDER] [ENGINE=PYTHON ...]

FOLDER holds MNIST's four files as they are distributed, (train|t10k)-(images-idx3|labels-idx1)-
ubyte.gz; by default it is WORKBENCH_MNIST in the environment, and without either nothing is run.
ENGINE is tensorflow, torch or jax and PYTHON an interpreter that has it.

The network is two 5x5 convolutions of 32 and 64 filters, each with relu and 2x2 pooling, a dense
layer of 1024 with relu, and the logits; Adam at 0.001, batches of 128. All engines have the same
first weights and the same batches in the same order, and look at the whole test set every hundred
steps. Ends with status 1 where one does not reach 99 %, or ours takes longer than its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "bench" / "peers"
WANTED = 0.99
#: The program of each engine, and what it is told after the folder.
ENGINES = {
    "workbench": ("mnist_graph.py", "workbench"),
    "tensorflow": ("mnist_graph.py", "tensorflow"),
    "torch": ("mnist_torch.py",),
    "jax": ("mnist_jax.py",),
}


def run(engine: str, python: str, folder: Path, cache: str) -> dict[str, Any]:
    """One process: the result that it printed."""
    program, *arguments = ENGINES[engine]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if engine == "workbench":
        # A working copy has bytecode only where Python may write it.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = cache
    environment["BENCH_START"] = repr(time.time())
    command = [python, str(PROGRAMS / program), str(folder), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800)
    if done.returncode != 0:
        sys.exit(f"{engine} failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arguments", nargs="*", metavar="FOLDER | ENGINE=PYTHON")
    parser.add_argument("--rounds", type=int, default=1, help="the best of them is shown")
    parser.add_argument("--limit", type=float, default=1.0, help="ours / best peer (default 1)")
    parser.add_argument("--seconds", type=float, default=240.0, help="limit without a peer")
    options = parser.parse_args()
    peers = dict(a.split("=", 1) for a in options.arguments if "=" in a)
    folders = [a for a in options.arguments if "=" not in a]
    folder = folders[0] if folders else os.environ.get("WORKBENCH_MNIST")
    if folder is None:
        print("no images: give the folder, or name it in WORKBENCH_MNIST")
        return 0
    engines = {"workbench": sys.executable, **peers}
    print(f"load average {os.getloadavg()[0]:.2f}")
    print(f"{'engine':12}{'99 % after s':>14}{'steps':>8}{'accuracy':>10}{'first step s':>14}")
    seconds: dict[str, float] = {}
    reached = True
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(options.rounds):
            for engine, python in engines.items():
                result = run(engine, python, Path(folder), cache)
                steps, took, accuracy = result["history"][-1]
                reached = reached and accuracy >= WANTED
                seconds[engine] = min(took, seconds.get(engine, took))
                print(
                    f"{engine:12}{took:14.2f}{steps:8}{accuracy:10.4f}{result['first']:14.2f}",
                    flush=True,
                )
    ours = seconds.pop("workbench")
    if seconds:
        best = min(seconds, key=lambda e: seconds[e])
        ratio = ours / seconds[best]
        print(f"ours / best peer {ratio:.2f} ({best}; limit {options.limit:g})")
        return int(not reached or ratio > options.limit)
    return int(not reached or ours > options.seconds)


if __name__ == "__main__":
    sys.exit(main())
