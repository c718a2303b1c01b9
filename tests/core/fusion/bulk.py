"""Runs many cases in a process of their own: generated code that crashes fails a case, not the run.

    python -m tests.core.fusion.bulk MODULE [FIRST]

A family is a module with `cases()`: a dict of functions by name, each of which raises where
something is wrong. For each case the process writes a line when it begins and one when it ended.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from typing import Any

#: Ways to run a family other than the usual one, see `_choose`; none where it is not set.
MODE = "WORKBENCH_TEST_MODE"
#: So often a family goes on behind a case that ended its process.
_MOST_CRASHES = 5


def failures_of(
    family: str, timeout: float = 240, folder: str | None = None, mode: str = ""
) -> dict[str, str]:
    """Runs the cases of a family, and gives what went wrong by case; at least one case must run.

    Machine code is kept in `folder`, for another time: what others left is not used.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as own:
            return failures_of(family, timeout, own, mode)
    failures: dict[str, str] = {}
    deadline = time.monotonic() + timeout
    first, done = 0, 0
    for _ in range(_MOST_CRASHES):
        running, lines, complaint = _run(family, first, deadline - time.monotonic(), folder, mode)
        for line in lines:
            done += 1
            first = line["number"] + 1
            if line["error"] is not None:
                failures[line["case"]] = line["error"]
        if complaint is None:
            break
        failures[running["case"] if running else f"start of {family}"] = complaint
        if running is None or deadline < time.monotonic():
            break
        first = running["number"] + 1
    assert done or failures, f"{family} has no cases"
    return failures


def _run(
    family: str, first: int, timeout: float, folder: str, mode: str
) -> tuple[dict[str, Any] | None, list[dict[str, Any]], str | None]:
    """The case that was running at an untimely end, the results, and how it ended, if badly."""
    command = [sys.executable, "-X", "faulthandler", "-m", __name__, family, str(first)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=max(timeout, 1),
            check=False,
            env={**os.environ, "WORKBENCH_CACHE": folder, MODE: mode},
        )
        text, complaint = done.stdout, None
        if done.returncode:
            complaint = f"the process ended with {done.returncode}:\n{done.stderr[-4000:]}"
    except subprocess.TimeoutExpired as error:
        text = (error.stdout or b"").decode()
        complaint = f"it was not done after {timeout:.0f} s"
    running, results = None, []
    for line in text.splitlines():
        if not line.startswith('{"'):
            continue
        told = json.loads(line)
        if "error" in told:
            results.append(told)
            running = None
        else:
            running = told
    return running, results, complaint


def _tell(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _choose(mode: str) -> None:
    """Has everything run on several threads, or as on processors with narrower vectors."""
    if mode == "threads":
        from workbench.core.runtime import region

        region._WORTH_THREADS = 0.0
    elif mode == "avx2":
        from workbench.core.codegen import host
        from workbench.core.codegen.target import AVX2

        assert host.target() is not None
        host.target = lambda: AVX2  # type: ignore[assignment]
    else:
        assert not mode, mode


def main(family: str, first: int) -> None:
    """Runs the cases of a family from number `first` on."""
    _choose(os.environ.get(MODE, ""))
    cases = importlib.import_module(family).cases()
    for number, (name, case) in enumerate(cases.items()):
        if number < first:
            continue
        told = {"case": name, "number": number}
        _tell(told)
        error = None
        try:
            case()
        except Exception as failure:
            lines = traceback.format_exception(failure)
            error = "".join(lines)[-3000:]
        _tell({**told, "error": error})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
