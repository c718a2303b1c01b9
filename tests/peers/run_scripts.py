"""Runs public TensorFlow-1 scripts unchanged on an engine, and on the oracle beside it.

    python -m tests.peers.run_scripts FOLDER_OR_SCRIPT ... [--engine workbench=PYTHON] [--json FILE]

Each script runs in a process and a working folder of its own. One that neither failed nor ended
within `--timeout` seconds counts as "ran".
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.peers import stand_ins

REPOSITORY = Path(__file__).resolve().parents[2]
STORE = Path(tempfile.gettempdir()) / "workbench_peers"
TAIL = 12

# What shortens a script that offers it, by the end of its path. Scripts are never edited.
SHORT = {
    "mnist/fully_connected_feed.py": ["--max_steps", "300"],
    "mnist/mnist_with_summaries.py": ["--max_steps", "50"],
    "high_level_APIs/mnist_simple.py": ["--num_steps", "500"],
    "xor/xor.py": ["--num-steps", "500"],
}
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf")


@dataclass
class Result:
    """What became of one script."""

    script: str
    engine: str
    outcome: str  # ok, ran (until the timeout, without an error) or failed
    error: str
    seconds: float
    output: list[str]


@dataclass
class Comparison:
    """How far the outputs of two engines agree."""

    same_lines: int
    lines: int
    largest_difference: float | None


def scripts_in(paths: Iterable[Path]) -> list[Path]:
    """The scripts and notebooks named, or found in folders; a .txt file lists paths beside it."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                each
                for each in path.rglob("*")
                if each.suffix in (".py", ".ipynb") and ".ipynb_checkpoints" not in each.parts
            )
        elif path.suffix == ".txt":
            names = [line.strip() for line in path.read_text("utf-8").splitlines()]
            found += [path.parent / name for name in names if name and not name.startswith("#")]
        else:
            found.append(path)
    return found


def run(
    script: Path,
    engine: str,
    python: str = sys.executable,
    *,
    timeout: float = 300.0,
    short: bool = False,
    seed: int | None = None,
) -> Result:
    """Run one script to its end, its first error or the timeout."""
    script = script.resolve()
    arguments = []
    if short:
        for ending, options in SHORT.items():
            if str(script).endswith(ending):
                arguments = options
    environment = {
        **os.environ,
        "MPLBACKEND": "Agg",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    if seed is not None:
        environment["WORKBENCH_PEERS_SEED"] = str(seed)
    command = [python, "-m", "tests.peers.script_process", engine, str(script), *arguments]
    with tempfile.TemporaryDirectory(prefix="peer_script_") as name:
        folder = Path(name)
        stand_ins.prepare(script.read_text("utf-8", errors="replace"), folder, STORE)
        started = time.monotonic()
        code, output, errors = run_process(command, folder, environment, timeout)
        seconds = time.monotonic() - started
    failed = code not in (0, None)
    if failed:
        outcome, error = "failed", last_error(errors) or f"exit code {code}"
    else:
        outcome, error = ("ok" if code == 0 else "ran"), ""
    return Result(str(script), engine, outcome, error, round(seconds, 1), output.splitlines())


def run_process(
    command: Sequence[str], folder: Path, environment: dict[str, str], timeout: float
) -> tuple[int | None, str, str]:
    """Exit code (None after a timeout), output and errors of a process and all it started."""
    with (
        tempfile.TemporaryFile("w+", errors="replace") as output,
        tempfile.TemporaryFile("w+", errors="replace") as errors,
    ):
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output.seek(0)
        errors.seek(0)
        return code, output.read(), errors.read()


def last_error(errors: str) -> str:
    """The line that says what went wrong: where a traceback ends, and its first line of text."""
    lines = errors.rstrip().splitlines()
    for index in range(len(lines) - 1, -1, -1):
        if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit|Warning)\b", lines[index]):
            follows = lines[index + 1].strip() if index + 1 < len(lines) else ""
            return f"{lines[index]} {follows}".strip()
    return lines[-1] if lines else ""


def compare(left: Sequence[str], right: Sequence[str]) -> Comparison:
    """Compare two outputs: lines equal but for their numbers, and the numbers relatively."""
    lines = max(len(left), len(right))
    same, largest = 0, None
    for one, other in zip(left, right, strict=False):
        if NUMBER.sub("#", one) != NUMBER.sub("#", other):
            continue
        same += 1
        pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
        for a, b in ((float(a), float(b)) for a, b in pairs):
            difference = 0.0 if a == b or (a != a and b != b) else abs(a - b)
            scaled = difference / max(abs(a), abs(b), 1e-6) if difference else 0.0
            largest = scaled if largest is None else max(largest, scaled)
    return Comparison(same, lines, largest)


def table(results: Sequence[Result], root: Path) -> str:
    """The results as text, one row each, failures with their last line."""
    rows = [("script", "engine", "outcome", "seconds", "last error, or last line")]
    for each in results:
        name = os.path.relpath(each.script, root)
        last = next((line for line in reversed(each.output) if line.strip()), "")
        rows.append((name, each.engine, each.outcome, f"{each.seconds}", each.error or last))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True)]
        lines.append(" | ".join([*cells, row[4][:160]]))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; exit code 1 where a script failed on the first engine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument(
        "--engine",
        action="append",
        metavar="NAME[=PYTHON]",
        help="a module with TensorFlow 1's names (workbench), or tensorflow for the oracle; "
        "with the interpreter to run it in. May be given twice, to compare",
    )
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for each script")
    parser.add_argument("--short", action="store_true", help="fewer steps, by the scripts' flags")
    parser.add_argument("--seed", type=int, help="seed Python's and NumPy's random numbers")
    parser.add_argument("--json", type=Path, help="write the results there too")
    options = parser.parse_args(arguments)
    engines = [each.partition("=") for each in options.engine or ["workbench"]]
    scripts = scripts_in(options.paths)
    results: list[Result] = []
    comparisons: dict[str, dict[str, object]] = {}
    for script in scripts:
        pair = []
        for name, _, python in engines:
            result = run(
                script,
                name,
                python or sys.executable,
                timeout=options.timeout,
                short=options.short,
                seed=options.seed,
            )
            pair.append(result)
            print(f"{result.outcome:7}{result.seconds:7.1f} s  {name:12}{script}", flush=True)
            if result.error:
                print(f"        {result.error}", flush=True)
        results += pair
        if len(pair) == 2:
            comparisons[str(script)] = asdict(compare(pair[0].output, pair[1].output))
    root = Path(os.path.commonpath([script.resolve().parent for script in scripts]))
    print()
    print(table(results, root))
    for script_name, comparison in comparisons.items():
        print(f"{os.path.relpath(script_name, root)}: {comparison}")
    if options.json:
        content = [{**asdict(each), "output": each.output[-TAIL:]} for each in results]
        document = {"results": content, "comparisons": comparisons}
        options.json.write_text(json.dumps(document, indent=1), "utf-8")
    return int(any(each.outcome == "failed" for each in results if each.engine == engines[0][0]))


if __name__ == "__main__":
    sys.exit(main())
