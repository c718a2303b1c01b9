"""Training steps of six small networks, ours beside TensorFlow's, PyTorch's, JAX's and NumPy's.

    python -m tests.bench.compare_peers [ENGINE=PYTHON ...] [--workloads NAME,NAME] [--rounds N]

ENGINE is tensorflow, torch or jax and PYTHON an interpreter that has it; without any, ours runs
beside NumPy by hand, briefly. Every run is a process of its own and the engines take turns, so that
a machine busy for a while slows all alike. A step goes forward, back and down the gradient, and
its loss comes back to Python. All engines start from the same numbers, and their losses must agree.

median: of the steps, the median over rounds; best: the tenth of the steps that was fastest, of the
best round; first: seconds from the start of the process to the end of the first step. The engines'
own files are as pip leaves them, with their bytecode beside them, and so are ours.

Ends with status 1 where losses differ, or a ratio is above its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "bench" / "peers"
sys.path.insert(0, str(PROGRAMS))

from workloads import WORKLOADS  # noqa: E402

#: The program of each engine, and what it is told after the workload's name.
ENGINES = {
    "workbench": ("graph_programs.py", "workbench"),
    "tensorflow": ("graph_programs.py", "tensorflow"),
    "torch": ("torch_programs.py",),
    "jax": ("jax_programs.py",),
    "numpy": ("numpy_programs.py",),
}
#: What is simple enough to be written in NumPy by hand.
BY_HAND = ("perceptron", "regression", "chain")
#: Where NumPy by hand is what ours is held against, for want of peers: enough to compute in a step.
HELD = ("perceptron", "chain")
#: Losses of the first steps agree to this part of them: the order of sums is each engine's own.
AGREEMENT = 1e-3


class Figures(NamedTuple):
    """What an engine needs for a workload, in seconds."""

    median: float
    best: float
    first: float
    losses: list[float]


def run(
    engine: str,
    python: str,
    workload: str,
    seconds: float,
    cache: str,
    programs: Mapping[str, tuple[str, ...]] = ENGINES,
) -> dict[str, Any]:
    """One process: the result that it printed."""
    program, *arguments = programs[engine]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "BENCH_SECONDS": str(seconds),
    }
    if "workbench" in (engine, *arguments):
        # A working copy has bytecode only where Python may write it.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = cache
    environment["BENCH_START"] = repr(time.time())
    command = [python, str(PROGRAMS / program), workload, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        sys.exit(f"{engine} failed at {workload}:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(
    engines: dict[str, str],
    workload: str,
    rounds: int,
    seconds: float,
    cache: str,
    programs: Mapping[str, tuple[str, ...]] = ENGINES,
) -> dict[str, Figures]:
    """The figures of each engine, which take turns."""
    runs: dict[str, list[dict[str, Any]]] = {
        e: [] for e in engines if e != "numpy" or workload in BY_HAND
    }
    for engine in runs:
        # Once unmeasured: fills the system's cache of files, and ours of bytecode.
        run(engine, engines[engine], workload, 0.0, cache, programs)
    for _ in range(rounds):
        for engine, results in runs.items():
            results.append(run(engine, engines[engine], workload, seconds, cache, programs))
    return {
        engine: Figures(
            statistics.median(r["median"] for r in results),
            min(r["tenth"] for r in results),
            statistics.median(r["first"] for r in results),
            results[0]["losses"],
        )
        for engine, results in runs.items()
    }


def disagreement(figures: dict[str, Figures]) -> str:
    """Which engines' losses are not ours, "" when all are."""
    ours = figures["workbench"].losses
    found = [
        engine
        for engine, theirs in figures.items()
        if any(abs(a - b) > AGREEMENT * abs(a) for a, b in zip(ours, theirs.losses, strict=True))
    ]
    return ", ".join(found)


def peak() -> float | None:
    """Floating-point operations a second that this machine was measured at; None without LLVM."""
    try:
        from workbench.core.codegen import host
    except ImportError:
        return None
    measured = getattr(host, "peak", None)
    return float(measured()) if measured is not None else None


def describe_machine() -> str:
    """The machine's name, its processor, and how busy it is."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{platform.node()}: {os.cpu_count()} x {name}, load average {load}"


def show(
    workload: str, figures: dict[str, Figures], operations: int, machine_peak: float | None
) -> None:
    """One line for each engine."""
    for engine, seen in figures.items():
        share = ""
        if machine_peak and operations:
            share = f"{100 * operations / seen.best / machine_peak:6.0f} %"
        print(
            f"{workload:14}{engine:11}{seen.median * 1e3:12.4f}{seen.best * 1e3:12.4f}"
            f"{seen.first:10.3f}{share}",
            flush=True,
        )


def judge(workload: str, figures: dict[str, Figures], limits: argparse.Namespace) -> bool:
    """Prints the ratios of ours to the best peer; False where one is above its limit."""
    wrong = disagreement(figures)
    if wrong:
        print(f"{workload}: the losses of {wrong} are not ours")
    ours = figures["workbench"]
    peers = {e: seen for e, seen in figures.items() if e not in ("workbench", "numpy")}
    if not peers:
        if workload not in HELD:
            return not wrong
        ratio = ours.best / figures["numpy"].best
        print(f"{workload}: {ratio:.2f} of NumPy by hand (limit {limits.alone_limit:g})")
        return not wrong and ratio <= limits.alone_limit
    quick = min(peers, key=lambda e: peers[e].median)
    best = min(peers, key=lambda e: peers[e].best)
    early = min(peers, key=lambda e: peers[e].first)
    steady = ours.best / peers[best].best
    first = ours.first / peers[early].first
    print(
        f"{workload}: of the best peer, step {ours.median / peers[quick].median:.2f} ({quick}), "
        f"best {steady:.2f} ({best}; limit {limits.limit:g}), "
        f"first step {first:.2f} ({early}; limit {limits.first_limit:g})"
    )
    return not wrong and steady <= limits.limit and first <= limits.first_limit


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engines", nargs="*", metavar="ENGINE=PYTHON")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="names, with commas")
    parser.add_argument("--rounds", type=int, help="3 with peers, 1 without")
    parser.add_argument("--seconds", type=float, help="of steps in a run: 2 with peers, else 1")
    parser.add_argument("--limit", type=float, default=1.0, help="ours / best peer (default 1)")
    parser.add_argument("--first-limit", type=float, default=0.35, help="the same of first steps")
    parser.add_argument("--alone-limit", type=float, default=1.5, help="ours / NumPy by hand")
    parser.add_argument("--json", help="a file for all figures")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    peers = dict(entry.split("=", 1) for entry in options.engines)
    unknown = {*peers} - {*ENGINES}
    if unknown:
        sys.exit(f"There is no engine {', '.join(unknown)}: there are {', '.join(ENGINES)}")
    engines = {"workbench": sys.executable, **peers, "numpy": sys.executable}
    rounds = options.rounds or (3 if peers else 1)
    seconds = options.seconds or (2.0 if peers else 1.0)
    machine_peak = peak()
    print(describe_machine())
    share = "   of peak" if machine_peak else ""
    print(f"{'workload':14}{'engine':11}{'median ms':>12}{'best ms':>12}{'first s':>10}{share}")
    held = True
    found: dict[str, dict[str, Figures]] = {}
    with tempfile.TemporaryDirectory() as cache:
        for workload in options.workloads.split(","):
            found[workload] = measure(engines, workload, rounds, seconds, cache)
            show(workload, found[workload], WORKLOADS[workload]().operations, machine_peak)
            held = judge(workload, found[workload], options) and held
    if options.json:
        listed = {w: {e: f._asdict() for e, f in of.items()} for w, of in found.items()}
        Path(options.json).write_text(json.dumps(listed, indent=1))
    print(f"load average at the end {os.getloadavg()[0]:.2f}")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
