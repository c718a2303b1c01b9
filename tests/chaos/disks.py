"""Small disks for tests that fill them (Linux, as root)."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


def mount(*arguments: str) -> None:
    """Runs `mount`."""
    subprocess.run(["mount", *arguments], check=True, capture_output=True, timeout=30)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A folder that is a disk of a size, as "2m"; the test is skipped where there can be none."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("NO TEST OF A FULL DISK: mounting a small one needs root on Linux")
    folder.mkdir()
    try:
        mount("-t", "tmpfs", "-o", f"size={size}", "none", str(folder))
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"NO TEST OF A FULL DISK: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=30)


def fill(disk: Path) -> Path:
    """Fills a disk; the file that does, which makes room when it is removed."""
    path = disk / "filler"
    with open(path, "ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"0" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return path
