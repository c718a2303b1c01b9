"""The last lines of a log that somebody follows, taken in piece by piece."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from workbench.pool.statistics.worker_log import KEPT_LINES

#: So much of the end of a file is read when it is first followed.
_FIRST_BYTES = 64 << 10


class LogTail:
    """Lines with numbers, which begin anew with each life of who writes them.

    >>> from workbench.pool.statistics.log_tail import LogTail
    >>> tail = LogTail()
    >>> tail.take(life=1, first=10, lines=["a", "b"])
    >>> tail.wanted, tail.since(1, 11), tail.since(0, 11)
    (12, (1, 11, ['b']), (1, 10, ['a', 'b']))
    >>> tail.take(life=2, first=0, lines=["c"])
    >>> tail.since(1, 12)
    (2, 0, ['c'])
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._life = 0
        self._next = 0
        #: How many follow it.
        self.followers = 0

    @property
    def wanted(self) -> int:
        """The number of the line that comes next."""
        with self._lock:
            return self._next

    def take(self, life: int, first: int, lines: Sequence[str]) -> None:
        """Takes in lines of a life, the first of which has a number."""
        with self._lock:
            if life != self._life or first != self._next:
                # Of another process, or some were not kept: what is shown begins here.
                self._life, self._next = life, first
                self._lines.clear()
            self._lines.extend(lines)
            self._next += len(lines)

    def since(self, life: int, number: int) -> tuple[int, int, list[str]]:
        """The life, the lines from a number of `life` on, and the number of the first of them."""
        with self._lock:
            oldest = self._next - len(self._lines)
            number = max(number, oldest) if life == self._life else oldest
            return self._life, number, list(self._lines)[number - oldest :]


class FileTail:
    """Has a tail take in what is added to a file."""

    def __init__(self, path: Path, tail: LogTail) -> None:
        self._path, self._tail = path, tail
        self._offset: int | None = None
        self._part = b""

    def look(self) -> None:
        """Takes in what was added since the last look."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                if self._offset is None or self._offset > size:
                    self._offset, self._part = max(size - _FIRST_BYTES, 0), b""
                    self._skips = self._offset > 0
                file.seek(self._offset)
                added = file.read(size - self._offset)
        except OSError:
            return
        self._offset = size
        *lines, self._part = (self._part + added).split(b"\n")
        if lines and self._skips:
            # The first is the end of one that began before.
            lines, self._skips = lines[1:], False
        texts = [line.decode("utf-8", "replace") for line in lines]
        self._tail.take(1, self._tail.wanted, texts)
