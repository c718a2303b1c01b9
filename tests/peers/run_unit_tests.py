"""Runs TensorFlow's own unit tests on an engine and says what fails, and why.

    python -m tests.peers.run_unit_tests FOLDER_OR_FILE ... [--engine workbench] [--json FILE]

`--expected FILE` names the results of another engine (of the oracle): only the tests that passed
there are counted, and those that pass here no longer are listed.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.peers.run_scripts import REPOSITORY, last_error, run_process

OUTCOMES = ("passed", "failed", "error", "timeout", "skipped")
Results = dict[str, list[dict[str, object]]]


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files of tests named, found in folders, or listed in .txt files beside them."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(path.rglob("*_test.py"))
        elif path.suffix == ".txt":
            names = [line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
            found += [path.parent / name for name in names if name]
        else:
            found.append(path)
    return found


def run(
    file: Path,
    engine: str,
    python: str = sys.executable,
    *,
    only: str = "",
    timeout: float = 600.0,
    test_timeout: float = 60.0,
    memory: float = 0.0,
) -> list[dict[str, object]]:
    """The results of one file's tests."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]),
    }
    with tempfile.TemporaryDirectory(prefix="peer_tests_") as name:
        results = Path(name) / "results.jsonl"
        environment["TEST_TMPDIR"] = name
        command = [python, "-m", "tests.peers.unit_test_process", engine]
        command += [str(file.resolve()), str(results)]
        command += ["--only", only, "--test-timeout", str(test_timeout), "--memory", str(memory)]
        code, _, errors = run_process(command, Path(name), environment, timeout)
        lines = results.read_text("utf-8").splitlines() if results.exists() else []
    done: list[dict[str, object]] = [json.loads(line) for line in lines]
    if code != 0:
        reason = "the file took too long" if code is None else f"exit code {code}"
        error = "" if code is None else last_error(errors)
        done.append(
            {
                "test": "(process)",
                "outcome": "timeout" if code is None else "error",
                "reason": f"{reason} {error}".strip(),
                "details": errors[-2000:],
                "seconds": timeout if code is None else 0.0,
            }
        )
    return done


def short_name(file: str) -> str:
    """The file and its folder, which tell the files of a tree apart wherever the tree stands."""
    return "/".join(Path(file).parts[-2:])


def counts(results: Iterable[dict[str, object]]) -> str:
    """How many tests had which outcome."""
    counted = collections.Counter(str(each["outcome"]) for each in results)
    return ", ".join(f"{counted[outcome]} {outcome}" for outcome in OUTCOMES if counted[outcome])


def reasons(results: Results, limit: int) -> list[tuple[int, str, str]]:
    """What the tests failed with, the most frequent first, each with one test."""
    found: dict[str, list[str]] = collections.defaultdict(list)
    for file, tests in results.items():
        for each in tests:
            if each["outcome"] not in ("passed", "skipped"):
                found[str(each["reason"])].append(f"{short_name(file)}:{each['test']}")
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return [(len(tests), reason, tests[0]) for reason, tests in ordered[:limit]]


def expected_passes(results: Results, expected: Results) -> tuple[int, int, list[str]]:
    """How many tests that another engine passes were run and passed, and those that were not."""
    total, passed, missing = 0, 0, []
    theirs_by_name = {short_name(file): tests for file, tests in expected.items()}
    for file, tests in results.items():
        theirs = theirs_by_name.get(short_name(file), [])
        wanted = {str(each["test"]) for each in theirs if each["outcome"] == "passed"}
        ours = {str(each["test"]) for each in tests if each["outcome"] == "passed"}
        total += len(wanted)
        passed += len(wanted & ours)
        missing += [f"{short_name(file)}:{name}" for name in sorted(wanted - ours)]
    return total, passed, missing


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--engine", default="workbench", metavar="NAME[=PYTHON]")
    parser.add_argument("--only", default="", help="run the tests whose names have this in them")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for each file")
    parser.add_argument("--test-timeout", type=float, default=60.0, help="seconds for each test")
    parser.add_argument("--memory", type=float, default=0.0, help="GiB for each file, 0 for all")
    parser.add_argument("--json", type=Path, help="write all results there")
    parser.add_argument("--expected", type=Path, help="the results of the oracle")
    parser.add_argument("--reasons", type=int, default=40, help="how many reasons to print")
    parser.add_argument("-v", "--verbose", action="store_true", help="print each failure")
    options = parser.parse_args(arguments)
    engine, _, python = options.engine.partition("=")
    results: Results = {}
    for file in files_in(options.paths):
        results[str(file)] = run(
            file,
            engine,
            python or sys.executable,
            only=options.only,
            timeout=options.timeout,
            test_timeout=options.test_timeout,
            memory=options.memory,
        )
        print(f"{short_name(str(file)):50} {counts(results[str(file)])}", flush=True)
        if options.json:
            # After each file: a run of them all takes long, and may be broken off.
            options.json.write_text(json.dumps(results, indent=1), "utf-8")
        for each in results[str(file)]:
            if options.verbose and each["outcome"] not in ("passed", "skipped"):
                print(f"--- {each['test']}: {each['outcome']}\n{each['details']}", flush=True)
    everything = [each for tests in results.values() for each in tests]
    print(f"\n{len(results)} files: {counts(everything)}\n")
    for count, reason, example in reasons(results, options.reasons):
        print(f"{count:5}  {reason}   [{example}]")
    if options.expected:
        expected = json.loads(options.expected.read_text("utf-8"))
        total, passed, missing = expected_passes(results, expected)
        print(f"\nOf {total} tests that pass there, {passed} pass here. The others:")
        print("\n".join(missing))
    return 0


if __name__ == "__main__":
    sys.exit(main())
