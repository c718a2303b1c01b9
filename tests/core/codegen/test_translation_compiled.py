"""The code of every translation against the interpreter's kernel.

It runs in a process of its own: wrong code ends that, not the tests.
"""

from __future__ import annotations

import re
import subprocess
import sys

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
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.codegen.translation_runs", target],
        capture_output=True,
        text=True,
        timeout=240,
    )
    last = "\n".join(done.stderr.splitlines()[-12:])
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{last}"
    ran = re.search(r"^(\d+) ran, 0 failed$", done.stdout, re.MULTILINE)
    assert ran and int(ran[1]) > 1000, done.stdout[-4000:]
