"""Memory that the processes of a host share, which is gone when the last of them is.

The memory is a file that has a name only until all members have opened it. Each member holds a
lock on a byte of it, which the system takes back when the member dies, however it dies: so others
see who is there, and who makes the next segment removes files that nobody holds.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import struct
import tempfile
import time
from pathlib import Path
from typing import Any

try:
    import fcntl

    IS_SUPPORTED = hasattr(fcntl, "F_OFD_SETLK")
except ImportError:  # There are systems without such locks; their groups use the wire.
    IS_SUPPORTED = False

#: A file that nobody holds may be one that was made this moment.
_NEW_SECONDS = 60.0
#: How a lock is described to the system: type, from where, first byte, length, whose.
_LOCK = "hhqqi"


def folder() -> Path:
    """Where the files are: in memory where the system has such a place."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())


def host() -> str:
    """What is the same for processes that may share memory: the machine, its network, the user."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    with contextlib.suppress(OSError):
        # Who is put into a network of its own is a host of its own.
        return f"{boot.read_text().strip()}/{os.readlink('/proc/self/ns/net')}/{os.getuid()}"
    return ""


def prefix() -> str:
    """What the names of this user's files begin with."""
    return f"workbench-{os.getuid()}-"


def remove_abandoned() -> list[Path]:
    """Removes the files of groups that died before all members had them."""
    removed = []
    for path in folder().glob(prefix() + "*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                is_old = time.time() - os.fstat(descriptor).st_mtime > _NEW_SECONDS
                if is_old and _is_free(descriptor, 0, 0):
                    path.unlink()
                    removed.append(path)
            finally:
                os.close(descriptor)
    return removed


def _is_free(descriptor: int, first: int, count: int) -> bool:
    asked = struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, first, count, 0)
    found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
    return bool(struct.unpack(_LOCK, found)[0] == fcntl.F_UNLCK)


class Segment:
    """Shared memory of a group, as one member has it.

    Args:
      path: its file, which must be there.
      rank: the member's number.
    """

    def __init__(self, path: Path, rank: int) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            lock = struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, rank, 1, 0)
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, lock)
            self._memory = mmap.mmap(self._descriptor, os.fstat(self._descriptor).st_size)
        except BaseException:
            os.close(self._descriptor)
            raise
        self.buffer = memoryview(self._memory)

    @staticmethod
    def create(size: int, rank: int = 0) -> Segment:
        """A new one of `size` bytes of zeros. OSError where there is no room for it."""
        remove_abandoned()
        path = folder() / f"{prefix()}{secrets.token_hex(8)}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            # Taken now: memory that is missing later would end the process.
            os.posix_fallocate(descriptor, 0, size)
            return Segment(path, rank)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def is_held(self, rank: int) -> bool:
        """Whether another member is there still."""
        return not _is_free(self._descriptor, rank, 1)

    def forget_name(self) -> None:
        """Takes the file out of its folder; those who have it keep it."""
        self.path.unlink(missing_ok=True)

    def close(self, views: list[Any]) -> None:
        """Lets go of the memory, and of `views` of it."""
        views.clear()
        with contextlib.suppress(BufferError):
            # Arrays that the caller still has keep the memory until they go.
            self.buffer.release()
            self._memory.close()
        os.close(self._descriptor)
