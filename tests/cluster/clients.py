"""Clients of servers in processes of their own, which can be killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.cluster.processes import ROOT


@contextlib.contextmanager
def client(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a program; what it prints can be read. It is killed at the end."""
    started = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait(10)
        assert started.stdout is not None
        started.stdout.close()
