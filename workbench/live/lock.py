"""A lock on a file that the system gives back when the process that holds it is gone."""

from __future__ import annotations

import os
import time
from typing import Any

from workbench.core.files import translated_errors

_TRIES = 10

if os.name == "nt":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Holds the lock of a file until it is closed, or its process ends however it ends.

    Raises:
      RuntimeError: another process, or another lock of this one, holds it.
      OpError: the file cannot be opened.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = FileLock(folder + "/lock")
    ...     held = FileLock.is_held(folder + "/lock")
    ...     lock.close()
    ...     held, FileLock.is_held(folder + "/lock")
    (True, False)
    """

    def __init__(self, path: str) -> None:
        with translated_errors(path):
            self._file: Any = open(path, "a+b", buffering=0)  # noqa: SIM115
        if not self._take_patiently():
            holder = self._holder()
            self._file.close()
            raise RuntimeError(
                f"{os.path.dirname(path)} is in use by {holder}: a run has one loop at a time"
            )
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode())

    def _take_patiently(self) -> bool:
        for _ in range(_TRIES):
            try:
                _take(self._file.fileno())
            except OSError:
                # Somebody who only asks whether it is held has it for a moment.
                time.sleep(0.01)
            else:
                return True
        return False

    def _holder(self) -> str:
        try:
            self._file.seek(0)
            number = self._file.read(20).decode()
        except (OSError, UnicodeDecodeError):
            number = ""
        return f"process {number}" if number.isdigit() else "another process"

    @staticmethod
    def is_held(path: str) -> bool:
        """True while somebody holds the lock of `path`."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            return False
        try:
            _take(descriptor)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def close(self) -> None:
        """Gives the lock back. Closing again does nothing."""
        self._file.close()
