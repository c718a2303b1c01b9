"""What tells this host, and the processes on it, from others; the names of files in its memory."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
from pathlib import Path

from workbench.cluster.shown import shown

#: Where files are that lie in memory.
FOLDER = Path("/dev/shm")
#: What the names of our files in there begin with.
PREFIX = "workbench-wire-"


@functools.cache
def host_id() -> str:
    """This start of this host, as processes that see each other see it; "" where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return hashlib.sha256(f"{boot} {_namespace()}".encode()).hexdigest()[:32]
    except OSError:
        return ""


@functools.cache
def _namespace() -> int:
    """The name space of process numbers: what is the same number elsewhere is another process."""
    return os.stat("/proc/self/ns/pid").st_ino


def start_of(process: int) -> int | None:
    """When a process was started, in the kernel's ticks; None where there is no such process."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    # The name, in parentheses, may have blanks and parentheses in it.
    state, *rest = text.rpartition(")")[2].split()
    return None if state in "ZX" else int(rest[18])


def new_name() -> str:
    """A name for a file in memory that nobody guesses, and that says whose it is."""
    process = os.getpid()
    return f"{PREFIX}{_namespace()}-{process}-{start_of(process)}-{secrets.token_hex(16)}"


def owner_is_gone(name: str) -> bool:
    """Whether a file's name says that the process it belongs to has ended."""
    parts = name.removeprefix(PREFIX).split("-")
    if len(parts) != 4 or not all(part.isdigit() for part in parts[:3]):
        return False
    space, process, start = (int(part) for part in parts[:3])
    return space == _namespace() and start_of(process) != start


def remove(name: str) -> None:
    """Removes a file in memory, if it is there."""
    with contextlib.suppress(OSError):
        (FOLDER / name).unlink()


def sweep() -> None:
    """Removes what processes that have ended have left behind."""
    with contextlib.suppress(OSError):
        for path in FOLDER.glob(f"{PREFIX}*"):
            if owner_is_gone(path.name):
                remove(path.name)


def open_own(name: str, flags: int) -> int:
    """Opens a file in memory that a process of this user made, by a name that came from outside.

    ValueError for a name of something else, OSError where there is no such file.
    """
    if not (isinstance(name, str) and name.startswith(PREFIX) and name.isascii()) or "/" in name:
        raise ValueError(f"{shown(name)} is not the name of memory of ours")
    descriptor = os.open(FOLDER / name, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
    if os.fstat(descriptor).st_uid != os.getuid():
        os.close(descriptor)
        raise ValueError(f"{name!r} is another user's")
    return descriptor
