"""The code of every translation against the interpreter's kernel.

It runs in a process of its own: wrong code ends that, not the tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("llvmlite")


@pytest.mark.parametrize(
    "target",
    [
        "AVX512",
        pytest.param("AVX2", marks=pytest.mark.slow),
        pytest.param("NEON", marks=pytest.mark.slow),
    ],
)
def test_code_gives_what_the_kernel_does(target: str) -> None:
    parts = os.cpu_count() or 1
    with ThreadPoolExecutor(parts) as executor:
        ran = sum(executor.map(lambda part: _run(target, part, parts), range(parts)))
    assert ran > 1000


def _run(target: str, part: int, parts: int) -> int:
    """How many cases ran, of one part in a process; fails where one of them does."""
    arguments = [target, str(part), str(parts)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.codegen.translation_runs", *arguments],
        capture_output=True,
        text=True,
        timeout=240,
    )
    last = "\n".join(done.stderr.splitlines()[-12:])
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{last}"
    ran = re.search(r"^(\d+) ran, 0 failed$", done.stdout, re.MULTILINE)
    assert ran, done.stdout[-4000:]
    return int(ran[1])
