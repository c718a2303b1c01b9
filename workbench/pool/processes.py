"""Processes that outlive the one that started them: who they are, and how they end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil


@cache
def _boot() -> str:
    """Tells this start of the machine from others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def identity(pid: int) -> str:
    """Tells a process from a later one of the same number; "" where it does not run.

    Not by the time of day at which it began: clocks jump.
    """
    try:
        # The name of the program may have anything in it, but ends at the last parenthesis.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"
    except OSError:
        pass
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return "" if ended else f"{process.create_time():.2f}"
    except psutil.Error:
        return ""


def alive(pid: int, known: str) -> bool:
    """Whether the process still runs that had this identity."""
    return bool(known) and identity(pid) == known


def group_members(group: int) -> list[int]:
    """The processes of a process group that still run."""
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getpgid(pid) == group and identity(pid):
                found.append(pid)
    return found


def end_group(pid: int, known: str, seconds: float = 10.0) -> None:
    """Ends the process and all of its group: asks first, and insists after `seconds`.

    A group whose first process is gone is ended too, unless its number was given again.
    """
    if alive(pid, known):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not alive(pid, known), seconds)
    elif identity(pid):
        return
    if wait_for(lambda: not group_members(pid), 0.5):
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    wait_for(lambda: not group_members(pid), 5.0)


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    """Waits until `condition()` holds; False where it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True
