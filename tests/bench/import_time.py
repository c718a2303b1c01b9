"""Measure `import workbench` against `import numpy`, each in processes of its own.

    python tests/bench/import_time.py [--pairs 15] [--limit 1.5]

The two are measured in turn, so that a machine busy for a while slows both alike; the answer is
the median of the ratios of neighbours. Ends with status 1 above the limit.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

# Timed inside the process: the interpreter's own start is the same for both and not ours to pay.
PROGRAM = (
    "import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
)


def import_seconds(module: str) -> float:
    """Seconds that importing `module` takes in a fresh process."""
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return float(done.stdout)


def measure(pairs: int) -> tuple[float, float, float]:
    """Median seconds of NumPy's import, of ours, and the median ratio of the two."""
    for module in ("numpy", "workbench"):  # once unmeasured: compiles and caches the bytecode
        import_seconds(module)
    numpy_seconds, our_seconds = [], []
    for pair in range(pairs):
        order = ["numpy", "workbench"] if pair % 2 == 0 else ["workbench", "numpy"]
        seconds = {module: import_seconds(module) for module in order}
        numpy_seconds.append(seconds["numpy"])
        our_seconds.append(seconds["workbench"])
    ratios = [ours / theirs for ours, theirs in zip(our_seconds, numpy_seconds, strict=True)]
    return (
        statistics.median(numpy_seconds),
        statistics.median(our_seconds),
        statistics.median(ratios),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=15, help="pairs of processes (default 15)")
    parser.add_argument("--limit", type=float, default=1.5, help="highest ratio (default 1.5)")
    arguments = parser.parse_args()
    theirs, ours, ratio = measure(arguments.pairs)
    print(
        f"import numpy {theirs * 1e3:.1f} ms, import workbench {ours * 1e3:.1f} ms, "
        f"ratio {ratio:.2f} (limit {arguments.limit:g})"
    )
    return int(ratio > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
