"""Images decoded and augmented for training: how many a second, and whether they take all there is.

    python -m tests.bench.input_pipeline [tensorflow=PYTHON] [--seconds 4] [--limit 1.8]

Examples of JPEG images (320 by 240) are read from TFRecord files, parsed, decoded, cropped,
flipped, brightened and made smaller, by way of queues and by way of a dataset, with one thread and
with two; TensorFlow does the same where an interpreter that has it is named. Each runs in a process
of its own.

busy: processors that were busy with it; wanted: processors that it had work for, whether they were
free or not (as the system counts the time that threads wait for one); ms each: the processor time
of an example. Ends with status 1 where two threads want less than the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import workbench
from tests.bench.peers.input_programs import write_files

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests" / "bench" / "peers" / "input_programs.py"
KINDS = ("queues", "datasets")
THREADS = (1, 2)


def run(
    engine: str, python: str, kind: str, threads: int, folder: str, seconds: float
) -> dict[str, float]:
    """The figures of one process."""
    command = [python, str(PROGRAM), engine, kind, str(threads), folder, str(seconds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{engine} failed at {kind}:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peers", nargs="*", help="tensorflow=PYTHON")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--limit", type=float, default=1.8)
    options = parser.parse_args()
    engines = {"workbench": sys.executable}
    engines.update(peer.split("=", 1) for peer in options.peers)
    least = float("inf")
    with tempfile.TemporaryDirectory(prefix="input_pipeline_") as folder:
        write_files(workbench, folder)
        print(f"{'':28}{'examples/s':>12}{'busy':>8}{'wanted':>8}{'ms each':>9}")
        for kind in KINDS:
            for threads in THREADS:
                for engine, python in engines.items():
                    found = run(engine, python, kind, threads, folder, options.seconds)
                    label = f"{kind}, {threads} thread{'s' * (threads > 1)}, {engine}"
                    print(
                        f"{label:34}{found['rate']:6.0f}{found['busy']:8.2f}{found['wanted']:8.2f}"
                        f"{1000 * found['busy'] / found['rate']:9.2f}",
                        flush=True,
                    )
                    if engine == "workbench" and threads == max(THREADS):
                        least = min(least, found["wanted"])
    if least < options.limit:
        sys.exit(
            f"two threads have work for {least:.2f} processors only; the limit is {options.limit}"
        )


if __name__ == "__main__":
    main()
