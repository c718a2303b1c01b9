"""Workers that train in processes of their own, are killed, and keep a journal of what they did."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

#: A worker that shows no sign of life for so long has failed.
PATIENCE = 60.0


def lines(folder: Path) -> list[str]:
    """The journal of a folder."""
    journal = folder / "journal"
    # A kill may leave a line without its end.
    return journal.read_text().split("\n")[:-1] if journal.exists() else []


def start(module: str, folder: Path, steps: int) -> subprocess.Popen[bytes]:
    """A worker that trains up to a step."""
    command = [sys.executable, "-m", module, str(folder), str(steps)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def killed(module: str, folder: Path, after: float) -> None:
    """Starts a worker and kills it so long after it has begun to write into the journal."""
    known = len(lines(folder))
    worker = start(module, folder, steps=10**9)
    try:
        deadline = time.monotonic() + PATIENCE
        while len(lines(folder)) <= known:
            if worker.poll() is not None:
                stderr = worker.stderr.read().decode() if worker.stderr else ""
                pytest.fail(f"the worker ended with {worker.returncode}:\n{stderr}")
            assert time.monotonic() < deadline, "the worker shows no sign of life"
            time.sleep(0.002)
        time.sleep(after)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(PATIENCE)
        if worker.stderr:
            worker.stderr.close()


def finish(module: str, folder: Path, steps: int) -> None:
    """Lets a worker train to the end."""
    worker = start(module, folder, steps)
    _, errors = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0, errors.decode()
