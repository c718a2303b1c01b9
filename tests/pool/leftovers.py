"""Which processes tests have started, however far from them: found by a mark in the environment."""

from __future__ import annotations

import os
import signal
from pathlib import Path

VARIABLE = "WORKBENCH_TEST_MARK"


def marked(mark: str) -> list[int]:
    """The processes that run, other than this one, with a mark in their environment."""
    wanted = f"{VARIABLE}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def command(pid: int) -> str:
    """The command line of a process; "" where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def kill_marked(mark: str) -> None:
    """Kills them."""
    for pid in marked(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
