"""What a worker prints and logs: kept in a file of its folder, and still shown where it was."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any, TextIO

LOG = "log.txt"
_EARLIER = "log.earlier.txt"
#: A file that has become so large becomes the earlier one, in place of one before.
_FILE_BYTES = 1 << 20
#: So many lines can be asked for, each of so many characters at most.
KEPT_LINES = 1000
_LINE_CHARACTERS = 2000


class WorkerLog:
    """The last lines of a worker, also those of an earlier process that had its folder.

    >>> import tempfile
    >>> from workbench.pool.statistics.worker_log import WorkerLog
    >>> log = WorkerLog(tempfile.mkdtemp())
    >>> log.write("one line\\nand the be")
    >>> log.write("ginning of another\\n")
    >>> log.since(0), log.since(2)
    ((0, ['one line', 'and the beginning of another']), (2, []))
    >>> log.close()
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._path = Path(folder) / LOG
        self._lock = threading.Lock()
        earlier = _last_lines(self._path)
        self._lines: deque[str] = deque(earlier, maxlen=KEPT_LINES)
        #: How many there have been, those that are not kept any more too.
        self._count = len(earlier)
        self._part = ""
        self._file: TextIO | None = self._open()

    def _open(self) -> TextIO:
        return open(self._path, "a", encoding="utf-8", errors="replace", buffering=1)

    def write(self, text: str) -> None:
        """Takes in what was printed; a line counts when it has ended."""
        with self._lock:
            *lines, self._part = (self._part + text).split("\n")
            if len(self._part) > _LINE_CHARACTERS:
                lines, self._part = [*lines, self._part], ""
            for line in lines:
                self._lines.append(line[:_LINE_CHARACTERS])
                self._count += 1
                self._keep(self._lines[-1])

    def _keep(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(f"{line}\n")
            if self._file.tell() > _FILE_BYTES:
                self._file.close()
                os.replace(self._path, self._path.with_name(_EARLIER))
                self._file = self._open()
        except OSError:
            # A disk that is full must not keep the worker from its work.
            self._file = None

    def since(self, number: int) -> tuple[int, list[str]]:
        """The lines from a number on, as far as they are kept, and the number of the first."""
        with self._lock:
            oldest = self._count - len(self._lines)
            first = min(max(number, oldest), self._count)
            return first, list(self._lines)[first - oldest :]

    @property
    def count(self) -> int:
        """How many lines there have been: the number of the next one."""
        with self._lock:
            return self._count

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            file.close()


class Tee(io.TextIOBase):
    """A stream that goes on to another one, and to a log."""

    def __init__(self, stream: Any, log: WorkerLog) -> None:
        self._stream, self._log = stream, log

    def write(self, text: str) -> int:
        """Writes a text to both."""
        self._log.write(text)
        written: int = self._stream.write(text)
        return written

    def flush(self) -> None:
        """Has the stream write what it holds back."""
        self._stream.flush()

    def fileno(self) -> int:
        """That of the stream."""
        number: int = self._stream.fileno()
        return number

    def isatty(self) -> bool:
        """What the stream says."""
        return bool(self._stream.isatty())

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream."""
        return str(getattr(self._stream, "encoding", "utf-8"))


class Recording:
    """What this process prints and logs goes to a log too, until `close`."""

    def __init__(self, log: WorkerLog) -> None:
        self.log = log
        self._streams = sys.stdout, sys.stderr
        self._tees = Tee(sys.stdout, log), Tee(sys.stderr, log)
        sys.stdout, sys.stderr = self._tees
        self._exchange(self._streams, self._tees)

    def close(self) -> None:
        """Puts everything back."""
        self._exchange(self._tees, self._streams)
        for name, stream, tee in zip(("stdout", "stderr"), self._streams, self._tees, strict=True):
            if getattr(sys, name) is tee:
                setattr(sys, name, stream)
        self.log.close()

    def _exchange(self, old: tuple[Any, ...], new: tuple[Any, ...]) -> None:
        """Has handlers of loggers, which have taken a stream for themselves, take another."""
        loggers = [logging.root, *logging.Logger.manager.loggerDict.values()]
        for logger in loggers:
            for handler in getattr(logger, "handlers", ()):
                # A handler that has no stream of its own looks each time what there is.
                stream = vars(handler).get("stream")
                for one, other in zip(old, new, strict=True):
                    if stream is one and isinstance(handler, logging.StreamHandler):
                        handler.setStream(other)


def _last_lines(path: Path) -> list[str]:
    """The end of what an earlier process has left."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - KEPT_LINES * 100, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-KEPT_LINES:]
